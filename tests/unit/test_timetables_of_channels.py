"""This is when a channel may let flows run, and how it may speak to its broker: checked before it counts."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kis.settings import KisSettings
from deployments.entries import read_entries, scheduled
from flows.settings import CHANNELS, Settings, load_channel
from flows.sources import broker_of
from risk.changes import differences, loosening
from tasks.channels import ChannelSettings, parse_channel
from tests.desks import a_channel
from trading.errors import InvalidSetting

CHANNEL_NAMES = ("dev", "paper", "live")


def with_changes(**changes: Any) -> ChannelSettings:
    return parse_channel(a_channel().model_dump(mode="json") | changes, origin="test")


def times_of(channel: ChannelSettings) -> dict[str, dict[str, str]]:
    entries = scheduled(read_entries(), channel.schedules)
    return {e.name: {s.slug: s.cron for s in e.schedules} for e in entries if e.schedules}


@pytest.mark.parametrize("name", CHANNEL_NAMES)
def test_every_schedule_stands_in_the_channels_file(name: str) -> None:
    file = load_channel(Settings(channel=name, channels=CHANNELS, _env_file=None))
    assert file.schedules == times_of(
        a_channel()
    )  # as prefect.yaml says: an edit of one shows here
    assert times_of(file) == file.schedules


def test_a_channels_time_takes_the_place_of_prefect_yamls() -> None:
    changed = with_changes(schedules={"place-orders": {"opening": "52  8 * * 1-5"}})
    times, before = times_of(changed), times_of(a_channel())
    assert times["place-orders"]["opening"] == "52 8 * * 1-5"
    assert times["place-orders"]["exits"] == before["place-orders"]["exits"]
    assert {n: t for n, t in times.items() if n != "place-orders"} == {
        n: t for n, t in before.items() if n != "place-orders"
    }


@pytest.mark.parametrize("name", ["place-order", "halt-trading"])
def test_a_schedule_that_nothing_has_is_refused(name: str) -> None:
    with pytest.raises(InvalidSetting, match=f"schedules.{name}"):
        scheduled(read_entries(), {name: {"opening": "50 8 * * 1-5"}})


@pytest.mark.parametrize(
    "cron",
    [
        *("", "50 8 * *", "50 8 * * * *", ", 8 * * *", "50 8 * * MON", "*/0 8 * * *"),
        *("60 8 * * 1-5", "50 24 * * 1-5", "50 8 0 * *", "50 8 * 13 *", "50 8 * * 8"),
        *("50 8 * * 5-1", "50 8 * * 1-3-5"),
    ],
)
def test_what_is_no_time_is_refused(cron: str) -> None:
    with pytest.raises(InvalidSetting, match="minute hour day month weekday"):
        with_changes(schedules={"place-orders": {"opening": cron}})


@pytest.mark.parametrize(
    "cron", ["0 0 1 1 0", "59 23 31 12 7", "*/5 8-9 1,15 * 1-5", "0-30/10 * * * *"]
)
def test_what_is_a_time_counts(cron: str) -> None:
    assert with_changes(schedules={"place-orders": {"opening": cron}}).schedules["place-orders"]


def test_the_broker_is_spoken_to_as_the_version_says() -> None:
    keys = KisSettings.model_validate(
        {"environment": "paper", "appkey": "a", "appsecret": "b", "account": "50012345-01"}
    )
    settings = Settings(channel="paper", kis=keys, _env_file=None)
    channel = with_changes(calls={"calls_per_second": 7, "timeout_seconds": 3})
    broker = broker_of(settings, channel)
    assert (broker.pace, broker.timeout_seconds) == (7, 3)
    assert broker_of(settings, a_channel()) == keys
    with pytest.raises(InvalidSetting, match="read_attempts"):
        with_changes(calls={"read_attempts": 0})


def test_other_times_and_another_pace_wait_on_live() -> None:
    before = with_changes().model_dump(mode="json")
    for change in (
        {"schedules": {"place-orders": {"opening": "52 8 * * 1-5"}}},
        {"calls": {"calls_per_second": 7}},
    ):
        changes = differences(before, with_changes(**change).model_dump(mode="json"))
        assert loosening(changes) == changes != ()
