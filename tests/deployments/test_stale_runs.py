"""Runs whose time has passed are settled so that going on releases no pile of them."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import State, StateType
from prefect.states import (
    Cancelled,
    Cancelling,
    Completed,
    Crashed,
    Pending,
    Running,
    Scheduled,
)

from adapters.clock import SystemClock
from adapters.wording import Wording
from deployments.stale_runs import (
    SESSION,
    cancel_active_runs,
    cancel_late_runs,
    requeue_lost_runs,
    revive_streams,
    settle_runs,
)
from tests.prefect_servers import talk

LATENESS = timedelta(minutes=5)
WORDING = Wording()


class Runs:
    """Makes flow runs in any state, and tells what became of them."""

    def __init__(self, api_url: str) -> None:
        self.api_url = api_url
        self.now = SystemClock().now()
        self.made: list[UUID] = []

    def make(self, name: str, *, due: timedelta, state: State[Any] | None = None) -> UUID:
        async def acts(client: PrefectClient) -> UUID:
            deployment = await client.read_deployment_by_name(f"{name}/{name}")
            waiting: State[Any] = Scheduled(scheduled_time=self.now + due)
            run = await client.create_flow_run_from_deployment(deployment.id, state=waiting)
            if state is not None:
                await client.set_flow_run_state(run.id, state, force=True)
            return run.id

        made = talk(self.api_url, acts)
        self.made.append(made)
        return made

    def state(self, run_id: UUID) -> StateType | None:
        run = talk(self.api_url, lambda client: client.read_flow_run(run_id))
        return run.state_type

    def lives_in(self, run_id: UUID, place: str) -> None:
        """Say in which process a run is."""

        async def acts(client: PrefectClient) -> None:
            await client.update_flow_run(run_id, infrastructure_pid=place)

        talk(self.api_url, acts)

    def settle(self, lateness: timedelta = LATENESS) -> None:
        def acts(client: PrefectClient) -> Any:
            return settle_runs(client, at=self.now, lateness=lateness, wording=WORDING)

        talk(self.api_url, acts)

    def delete(self) -> None:
        async def acts(client: PrefectClient) -> None:
            for run_id in self.made:
                await client.delete_flow_run(run_id)

        talk(self.api_url, acts)


@pytest.fixture
def runs(registered: str) -> Iterator[Runs]:
    made = Runs(registered)
    yield made
    made.delete()


def ago(**span: float) -> timedelta:
    return -timedelta(**span)


def test_a_pile_of_late_runs_is_canceled(runs: Runs) -> None:
    pile = [runs.make("place-orders", due=ago(hours=hours)) for hours in (1, 2, 3)]

    runs.settle()

    assert {runs.state(run) for run in pile} == {StateType.CANCELLED}


def test_a_run_that_is_hardly_late_still_runs(runs: Runs) -> None:
    """A restart of half a minute around 08:50 must not cost the day's orders; the flow's guard decides."""
    late = runs.make("place-orders", due=ago(seconds=30))
    coming = runs.make("place-orders", due=timedelta(hours=1))

    runs.settle()

    assert runs.state(late) is StateType.SCHEDULED
    assert runs.state(coming) is StateType.SCHEDULED


@pytest.mark.parametrize("cut_off", [Running(), Pending(name="Submitting")])
def test_what_was_cut_off_just_now_runs_again(runs: Runs, cut_off: State[Any]) -> None:
    run = runs.make("place-orders", due=ago(seconds=30), state=cut_off)

    runs.settle()

    assert runs.state(run) is StateType.SCHEDULED


@pytest.mark.parametrize("cut_off", [Running(), Pending(name="Submitting")])
def test_what_was_cut_off_long_ago_is_closed(runs: Runs, cut_off: State[Any]) -> None:
    run = runs.make("place-orders", due=ago(hours=1), state=cut_off)

    runs.settle()

    assert runs.state(run) is StateType.CRASHED


def test_a_stream_that_was_cut_off_goes_on_within_its_session(runs: Runs) -> None:
    this_morning = runs.make("stream-fills", due=ago(hours=3), state=Running())
    yesterday = runs.make("stream-fills", due=ago(hours=24), state=Running())

    runs.settle()

    assert runs.state(this_morning) is StateType.SCHEDULED
    assert runs.state(yesterday) is StateType.CRASHED


def test_a_run_that_was_being_canceled_is_canceled(runs: Runs) -> None:
    run = runs.make("stream-fills", due=ago(minutes=1), state=Cancelling())

    runs.settle()

    assert runs.state(run) is StateType.CANCELLED


def test_nothing_of_an_earlier_simulated_market_goes_on(runs: Runs) -> None:
    """A new simulation has a new account: not even a run cut off a second ago belongs to it."""
    stream = runs.make("stream-fills", due=ago(seconds=1), state=Running())
    waiting = runs.make("place-orders", due=ago(seconds=1))

    runs.settle(lateness=timedelta())

    assert runs.state(stream) is StateType.CRASHED
    assert runs.state(waiting) is StateType.CANCELLED


def test_late_runs_are_canceled_page_after_page(runs: Runs) -> None:
    pile = [runs.make("eod-report", due=ago(hours=1)) for _ in range(3)]

    talk(
        runs.api_url,
        lambda client: cancel_late_runs(client, before=runs.now - LATENESS, wording=WORDING),
    )

    assert {runs.state(run) for run in pile} == {StateType.CANCELLED}


def test_what_a_dead_worker_had_taken_is_scheduled_anew(runs: Runs) -> None:
    taken = runs.make("place-orders", due=ago(seconds=5), state=Pending(name="Submitting"))
    begun = runs.make("stream-fills", due=ago(hours=1), state=Running())

    talk(
        runs.api_url,
        lambda client: requeue_lost_runs(client, at=datetime.now(UTC), wording=WORDING),  # noqa: TID251 - the server's
    )

    assert runs.state(taken) is StateType.SCHEDULED
    assert runs.state(begun) is StateType.RUNNING


def revive(runs: Runs, *, since: timedelta = -SESSION) -> None:
    """Look once, as the stack does every few seconds."""
    at = SystemClock().now()
    talk(
        runs.api_url,
        lambda client: revive_streams(client, at=at, since=runs.now + since, wording=WORDING),
    )


def test_a_stream_that_crashed_in_its_session_is_replaced(runs: Runs) -> None:
    yesterday = runs.make("stream-fills", due=ago(hours=24), state=Crashed())
    earlier = runs.make("stream-fills", due=ago(hours=4), state=Crashed())
    crashed = runs.make("stream-fills", due=ago(hours=3), state=Crashed())
    other = runs.make("place-orders", due=ago(seconds=5), state=Crashed())

    revive(runs)

    crashed_ones = {StateType.CRASHED}
    assert {runs.state(run) for run in (yesterday, earlier, other)} == crashed_ones
    assert runs.state(crashed) is StateType.SCHEDULED


@pytest.mark.parametrize("other", [Running(), Pending(), Cancelling(), Completed(), Cancelled()])
def test_a_stream_is_not_replaced_where_another_lives_or_the_owner_ended_it(
    runs: Runs, other: State[Any]
) -> None:
    crashed = runs.make("stream-fills", due=ago(hours=3), state=Crashed())
    runs.make("stream-fills", due=ago(hours=2), state=other)

    revive(runs)

    assert runs.state(crashed) is StateType.CRASHED


@pytest.mark.parametrize("state", ["Skipped", "Overtaken"])
def test_a_stream_is_replaced_though_another_run_stood_back_for_it(runs: Runs, state: str) -> None:
    """The owner starts one by hand beside it, which ends at once; later the one that worked is killed."""
    crashed = runs.make("stream-fills", due=ago(hours=3), state=Crashed())
    runs.make("stream-fills", due=ago(hours=2), state=Completed(name=state))

    revive(runs)

    assert runs.state(crashed) is StateType.SCHEDULED


def test_nothing_of_an_earlier_simulated_market_is_replaced(runs: Runs) -> None:
    crashed = runs.make("stream-fills", due=ago(seconds=5), state=Crashed())

    revive(runs, since=timedelta())

    assert runs.state(crashed) is StateType.CRASHED


@pytest.mark.parametrize("place", ["", f"{platform.node()}:"])  # Prefect's worker names no machine
def test_a_stream_whose_process_is_gone_is_replaced_though_nobody_said_so(
    runs: Runs, place: str
) -> None:
    """Its worker was killed first, so that it is running for ever in Prefect's eyes."""
    gone = runs.make("stream-fills", due=ago(hours=1), state=Running())
    runs.lives_in(gone, f"{place}{2**22 + 1}")

    revive(runs)
    assert runs.state(gone) is StateType.SCHEDULED


def test_a_stream_on_another_machine_is_its_own_business(runs: Runs) -> None:
    far = runs.make("stream-fills", due=ago(hours=1), state=Running())
    runs.lives_in(far, f"elsewhere:{2**22 + 1}")

    revive(runs)
    assert runs.state(far) is StateType.RUNNING


def test_active_runs_are_asked_to_end(runs: Runs) -> None:
    run = runs.make("stream-fills", due=ago(hours=1), state=Running())

    is_any = talk(runs.api_url, lambda client: cancel_active_runs(client, WORDING))

    assert is_any
    assert runs.state(run) is StateType.CANCELLING
