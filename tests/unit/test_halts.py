"""This is halts together: which is the strictest, whom it concerns, and the same one seen in two places."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import A_DAY, seoul
from trading.halts import Halt, TradingState, strictest, tightened, united

AT = seoul(A_DAY, "10:00")
HALTS = st.builds(
    Halt,
    source=st.sampled_from(["operator", "trip:clock", "prefect:place-orders"]),
    state=st.sampled_from([TradingState.REDUCING, TradingState.HALTED]),
    reason=st.sampled_from(["", "why"]),
    at=st.just(AT),
    strategy_id=st.sampled_from(["", "trend", "swing"]),
    symbol=st.sampled_from(["", "005930", "051910"]),
)
PLACES = st.lists(HALTS, max_size=6)


@given(PLACES, PLACES)
def test_one_place_beside_another_is_as_strict_as_both(disk: list[Halt], rows: list[Halt]) -> None:
    together = united(disk, rows)
    assert len({halt.key for halt in together}) == len(together)
    for strategy in ("", "trend", "swing", "another"):
        for symbol in ("", "005930", "051910", "000660"):
            asked = {"strategy_id": strategy, "symbol": symbol}
            assert strictest(together, **asked) is strictest([*disk, *rows], **asked)


@given(HALTS, PLACES)
def test_a_halt_never_loosens_what_stands(halt: Halt, known: list[Halt]) -> None:
    after = tightened(halt, known)
    scope = {"strategy_id": halt.strategy_id, "symbol": halt.symbol}
    same = [other for other in known if other.key == halt.key]
    assert after.state is strictest([halt, *same], **scope)
    assert (after.key, after.reason, after.at) == (halt.key, halt.reason, halt.at)


def test_a_halt_of_one_strategy_and_symbol_stops_just_that() -> None:
    halt = Halt("operator", TradingState.HALTED, "", AT, "trend", "005930")
    assert halt.concerns("trend", "005930")
    assert not halt.concerns("trend", "051910")
    assert not halt.concerns("swing", "005930")
