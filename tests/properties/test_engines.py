"""This is the proof that both engines come to the same won: random bars, strategies and options, fills, cash, equity.

`STEPS` (environment, 4,000 unless given) says how many bars to trade at least; `make properties` makes 100,000.
"""

from __future__ import annotations

import os
from random import Random
from typing import Final

from backtest.options import FillConvention
from backtest.tables import BarTable
from strategies.registry import STRATEGIES
from tests.engine_worlds import DAYS, a_strategy, a_universe, an_option_set, both, some_instruments
from trading.bars import Interval

BARS: Final = int(os.environ.get("STEPS", "4000")) * 4
SEED: Final = int(os.environ.get("SEED", "1"))


def test_the_fast_engine_and_the_replay_give_the_same_fills_cash_and_equity() -> None:
    bars = fills = 0
    conventions, widths, kinds = set(), set(), set()
    seed = SEED
    while bars < BARS:
        random = Random(seed)  # noqa: S311 - to repeat a failure
        days = random.choice((30, 80, 150))
        universe = a_universe(random, days)
        options, strategy = an_option_set(random), a_strategy(random)
        fast, exact = both(
            universe,
            strategy,
            options,
            first=DAYS[random.choice((0, 0, 10))],
            last=DAYS[random.choice((days - 1, days - 1, days - 5))],
            instruments=some_instruments(random, universe),
        )
        assert fast == exact, f"seed {seed}: {options}, {strategy!r}"
        bars += sum(map(len, universe.values()))
        fills += 0 if isinstance(fast, str) else len(fast.fills)
        conventions.add(options.fill)
        kinds.add(strategy.kind)
        widths.add(BarTable.of(universe).bars.itemsize)
        seed += 1
    print(f"seeds {SEED} to {seed - 1}: {bars} bars, {fills} fills")  # noqa: T201 - to repeat it
    assert fills > bars // 100, "nearly nothing was traded"
    assert (conventions, widths) == (set(FillConvention), {4, 8})
    by_flags = {kind for kind, each in STRATEGIES.items() if each.interval is Interval.DAY}
    assert kinds >= by_flags - {"momentum", "volatility_target"}  # those two name weights
