"""This is how a change of the settings comes into force: a version, where needed an approval, between decisions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.memory.stores import MemoryStores
from risk.changes import Change
from tasks import streaming
from tasks.streaming import StreamSession
from tasks.versions import approve, changes_of, follow, open_version, propose, roll_back
from tests.builders import a_signal
from tests.desks import Floor, a_channel
from tests.store_samples import AT
from tests.versions import DELAY, a_file, memory_of
from trading.configs import digest_of
from trading.errors import BadInput, InvalidSetting, NotApproved

MOMENT = timedelta(microseconds=1)


def acts(stores: MemoryStores) -> list[tuple[str, str, object]]:
    with stores.begin() as work:
        return [(r.actor, r.action, r.entry.detail.get("version")) for r in work.audit.chain()]


@pytest.fixture
def live() -> MemoryStores:
    """A live channel whose first version is approved."""
    stores = memory_of("live")
    with pytest.raises(NotApproved):
        open_version(stores, a_file("live"), at=AT - DELAY)
    approve(stores, 1, reason="begin", at=AT, delay=DELAY)
    return stores


@pytest.mark.parametrize("channel", ["dev", "paper"])
def test_the_first_start_registers_the_file(channel: str) -> None:
    stores, file = memory_of(channel), a_file(channel)
    for _ in range(2):
        standing = open_version(stores, file, at=AT)
        assert (standing.channel, standing.version, standing.is_file_ahead) == (file, 1, False)
    assert acts(stores) == [
        (channel, "config propose", 1),
        (f"channel:{channel}", "config approve", 1),
    ]


def test_live_begins_with_an_approval(live: MemoryStores) -> None:
    assert open_version(live, a_file("live"), at=AT).version == 1
    with live.begin() as work:
        assert [c.reason for c in work.configs.all()] == ["first start"]


def test_live_without_an_approval_says_what_to_do() -> None:
    stores = memory_of("live")
    for _ in range(2):
        with pytest.raises(NotApproved, match="maemae config approve 1"):
            open_version(stores, a_file("live"), at=AT)
    assert acts(stores) == [("live", "config propose", 1)]


def test_a_changed_file_counts_only_as_a_version() -> None:
    stores, file = memory_of("paper"), a_file("paper", daily_loss="0.01")
    open_version(stores, a_file("paper", daily_loss="0.02"), at=AT)
    standing = open_version(stores, file, at=AT)
    assert (standing.version, standing.is_file_ahead) == (1, True)
    assert str(standing.channel.risk.daily_loss) == "0.02"
    assert changes_of(stores, file) == (Change("risk.daily_loss", "0.02", "0.01"),)
    proposal = propose(stores, file, reason="smaller", at=AT)
    assert proposal.config is not None
    assert not proposal.waits
    standing = open_version(stores, file, at=AT)
    assert (standing.version, standing.is_file_ahead, changes_of(stores, file)) == (2, False, ())
    assert propose(stores, file, reason="again", at=AT).config is None


def test_on_live_what_tightens_is_in_force_at_once(live: MemoryStores) -> None:
    assert not propose(live, a_file("live", maximum_holdings=1), reason="less", at=AT).waits
    assert open_version(live, a_file("live"), at=AT).version == 2


@pytest.mark.parametrize("early", [MOMENT, timedelta(), -MOMENT])
def test_on_live_what_loosens_waits_for_approval_and_time(
    live: MemoryStores, early: timedelta
) -> None:
    looser = a_file("live", maximum_holdings=400)
    assert propose(live, looser, reason="more", at=AT).waits
    assert open_version(live, looser, at=AT).version == 1
    at = AT + DELAY - early
    if early > timedelta():
        with pytest.raises(BadInput, match="waited 10 minutes"):
            approve(live, 2, reason="yes", at=at, delay=DELAY)
        assert open_version(live, looser, at=at).version == 1
    else:
        (change,) = approve(live, 2, reason="yes", at=at, delay=DELAY)
        assert (change.path, change.after, change.loosens) == ("risk.maximum_holdings", 400, True)
        assert open_version(live, looser, at=at).version == 2
        assert acts(live)[-1] == ("operator", "config approve", 2)


def test_proposing_again_does_not_begin_the_wait_again(live: MemoryStores) -> None:
    looser = a_file("live", maximum_holdings=400)
    propose(live, looser, reason="more", at=AT)
    again = propose(live, looser, reason="more", at=AT + DELAY)
    assert again.waits
    assert again.config is not None
    assert (again.config.version, again.config.at) == (2, AT)


def test_only_the_newest_version_can_be_approved(live: MemoryStores) -> None:
    propose(live, a_file("live", maximum_holdings=400), reason="more", at=AT)
    propose(live, a_file("live", maximum_holdings=1), reason="less after all", at=AT)
    for version in (1, 2, 3, 4):
        with pytest.raises(BadInput, match="the version that waits: -"):
            approve(live, version, reason="yes", at=AT + DELAY, delay=DELAY)
    assert open_version(live, a_file("live"), at=AT).version == 3


def test_rolling_back_makes_a_new_version_by_the_same_rule(live: MemoryStores) -> None:
    propose(live, a_file("live", maximum_holdings=1), reason="less", at=AT)
    back = roll_back(live, None, reason="back", at=AT)
    assert back.waits, "it loosens"
    approve(live, 3, reason="yes", at=AT + DELAY, delay=DELAY)
    standing = open_version(live, a_file("live"), at=AT)
    assert (standing.version, standing.is_file_ahead) == (3, False)
    assert not roll_back(live, 2, reason="again", at=AT).waits
    with live.begin() as work:
        detail = work.audit.chain()[-2].entry.detail
    assert (detail["version"], detail["returns_to"]) == (4, 2)


@pytest.mark.parametrize("version", [None, 0, 2])
def test_there_must_be_a_version_to_return_to(live: MemoryStores, version: int | None) -> None:
    with pytest.raises(BadInput, match="once in force"):
        roll_back(live, version, reason="back", at=AT)


def test_every_step_needs_a_reason(live: MemoryStores) -> None:
    with pytest.raises(BadInput, match="--reason"):
        propose(live, a_file("live"), reason=" ", at=AT)
    with pytest.raises(BadInput, match="--reason"):
        approve(live, 1, reason="", at=AT, delay=DELAY)
    with pytest.raises(BadInput, match="--reason"):
        roll_back(live, 1, reason="", at=AT)


def test_a_version_that_nobody_understands_is_named_and_replaced() -> None:
    stores, file = memory_of("paper"), a_file("paper")
    with stores.begin() as work:
        old = {"channel": "paper", "gone": 1}
        work.configs.propose(old, digest=digest_of(old), at=AT)
        work.configs.approve(1, at=AT)
    with pytest.raises(InvalidSetting, match="configs version 1"):
        open_version(stores, file, at=AT)
    assert not propose(stores, file, reason="new program", at=AT).waits
    assert open_version(stores, file, at=AT).version == 2


@pytest.fixture
def forged() -> MemoryStores:
    """A paper channel whose second version somebody has changed in the database."""
    stores = memory_of("paper")
    open_version(stores, a_file("paper"), at=AT)
    propose(stores, a_file("paper", maximum_holdings=4), reason="calmer", at=AT)
    with stores.begin() as work:
        rows = vars(work.configs)["rows"]
        looser = a_file("paper", maximum_holdings=40).model_dump(mode="json")
        rows.put(2, replace(rows.get(2), document=looser))
    return stores


def test_forged_settings_decide_nothing_and_become_no_version_of_newer_code(
    forged: MemoryStores,
) -> None:
    for commit in ("", "c" * 40):
        with pytest.raises(NotApproved, match=r"configs version 2.*document"):
            open_version(forged, a_file("paper"), at=AT, commit=commit)
    with forged.begin() as work:
        assert len(work.configs.all()) == 2


def test_forged_settings_are_left_by_a_return_or_by_a_proposal(forged: MemoryStores) -> None:
    with pytest.raises(NotApproved):
        roll_back(forged, 2, reason="this one", at=AT)
    assert roll_back(forged, 1, reason="away", at=AT).config is not None
    assert open_version(forged, a_file("paper"), at=AT).version == 3
    propose(forged, a_file("paper", maximum_holdings=3), reason="new", at=AT)
    assert open_version(forged, a_file("paper"), at=AT).version == 4


def test_what_waits_and_was_forged_is_not_approved(live: MemoryStores) -> None:
    propose(live, a_file("live", maximum_holdings=400), reason="more", at=AT)
    with live.begin() as work:
        rows = vars(work.configs)["rows"]
        rows.put(2, replace(rows.get(2), commit="d" * 40))
    with pytest.raises(BadInput):
        approve(live, 2, reason="yes", at=AT + DELAY, delay=DELAY)


def test_a_forged_row_makes_no_code_known_on_live(live: MemoryStores) -> None:
    """Version 1 names no code; a second row that pretends to be approved lets none in."""
    with live.begin() as work:
        rows = vars(work.configs)["rows"]
        rows.put(1, replace(rows.get(1), commit="d" * 40))
    with pytest.raises(NotApproved):
        open_version(live, a_file("live"), at=AT, commit="d" * 40)


async def test_a_run_under_way_does_not_take_a_forged_version_over(floor: Floor) -> None:
    file = floor.desk.channel
    open_version(floor.stores, file, at=AT)
    floor.desk = replace(floor.desk, version=1)
    propose(floor.stores, file.model_copy(update={"history_days": 700}), reason="more", at=AT)
    with floor.stores.begin() as work:
        rows = vars(work.configs)["rows"]
        rows.put(2, replace(rows.get(2), reason="other"))
    assert follow(floor.desk) is floor.desk
    with pytest.raises(NotApproved, match="proposal"):
        open_version(floor.stores, file, at=AT)


async def test_orders_and_signals_carry_the_version(floor: Floor) -> None:
    floor.desk = replace(floor.desk, version=7)
    await floor.open()
    await floor.trade(a_signal())
    assert floor.order().intent.config_version == 7


async def test_the_stream_takes_a_newer_version_over_between_events(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "FOLLOW_SECONDS", 0.0)
    session = StreamSession(floor.desk)
    await floor.open()
    await session.pulse()
    assert session.desk is floor.desk, "no version is registered: it keeps its own"
    open_version(floor.stores, floor.desk.channel, at=AT)
    await session.pulse()
    assert session.desk is floor.desk, "it works with version 1 already"
    file = floor.desk.channel
    tighter = file.model_copy(update={"risk": file.risk.model_copy(update={"maximum_holdings": 1})})
    propose(floor.stores, tighter, reason="less", at=AT)
    assert session.desk.version == 1
    await session.pulse()
    assert (session.desk.version, session.desk.channel) == (2, tighter)


async def test_the_stream_looks_for_versions_only_now_and_then(floor: Floor) -> None:
    session = StreamSession(floor.desk)
    await floor.open()
    open_version(floor.stores, floor.desk.channel, at=AT)
    await session.pulse()
    propose(floor.stores, a_channel(history_days=401), reason="more", at=AT)
    await session.pulse()
    assert session.desk.version == 1
    session.followed_at -= streaming.FOLLOW_SECONDS
    await session.pulse()
    assert session.desk.version == 2


async def test_a_longer_watch_list_is_subscribed_on_the_same_connection(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "FOLLOW_SECONDS", 0.0)
    desk = floor.desk
    await floor.open()
    open_version(floor.stores, desk.channel, at=AT)
    session = StreamSession(desk)
    running = asyncio.create_task(session.run(until=desk.now() + DELAY))
    await reaches(lambda: floor.stream.watched == desk.channel.symbols)
    longer = a_channel(watch_list=[*desk.channel.watch_list, "000270"])
    propose(floor.stores, longer, reason="one more", at=AT)
    await reaches(lambda: floor.stream.watched == longer.symbols)
    floor.clock.move_to(desk.now() + DELAY)
    await running


async def reaches(condition: Callable[[], object]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)
