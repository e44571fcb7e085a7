"""This is the stack: database, simulator, Prefect server, relay, worker and mirror, started in order and kept running."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from adapters.commits import commit_of
from adapters.messages import stream_hung
from adapters.postgres import embedded
from adapters.postgres.migrations import migrate
from deployments.acts import UP, noted
from deployments.databases import Addresses, EmbeddedDatabase, make_databases
from deployments.doors import Door
from deployments.environments import use_packaged_time_zones
from deployments.heartbeats import HeartMonitor
from deployments.interruptions import undisturbed
from deployments.keepers import Keeper
from deployments.processes import Program
from deployments.programs import is_free, prefect_server, relay, warm_engine, worker
from deployments.simulator import SimulatorOptions, SimulatorProgram
from deployments.state import (
    Footprint,
    Phase,
    StackNote,
    end_leftovers,
    forget,
    only_stack,
    write_note,
    write_runtime,
)
from deployments.timings import Timings
from flows.settings import PROJECT, Settings, load_settings
from flows.sources import open_audit_file
from trading.errors import InvalidSetting, MaemaeError

if TYPE_CHECKING:
    from deployments.orchestration import Orchestration

_LOOK_SECONDS: Final = 0.5
_STREAM_LOOKS: Final = 8
"""Every so many looks at our own parts, one at the stream's run."""
_VERSION_LOOKS: Final = 20
"""Every so many, one at the version in force."""


class Stack:
    """Everything that runs beside us, while the `with` block lasts.

    It begins and ends in the thread that enters the block: on Linux its programs die with that thread.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        port: int,
        simulator: SimulatorOptions | None = None,
        timings: Timings | None = None,
        is_fresh: bool = False,
        act: str = UP,
    ) -> None:
        """Take the channel's settings, the port for Prefect, what to simulate, if anything, and what the operator did.

        A simulated account always begins anew; `is_fresh` forgets the history of its runs in Prefect as well.
        """
        self.settings = settings
        self.simulator: SimulatorProgram | None = None
        self.timings = timings or Timings()
        self.door = Door.of(settings, port=port)
        self._options = simulator
        self._is_fresh = is_fresh and simulator is not None
        self._act = act
        self._exits = ExitStack()
        self._keepers: list[Keeper] = []
        self._programs: list[Program] = []
        self._variables: dict[str, str] = {}
        self._phase: Phase = "starting"
        self._schedules: dict[str, dict[str, str]] = {}
        self._is_ending = threading.Event()
        self._failure: MaemaeError | None = None

    def __enter__(self) -> Self:
        """Start everything, in order.

        Raises:
            AlreadyRunning: when a stack of the same home runs.
            InvalidSetting: when a setting is wrong or the port is taken.
            StartFailed: when a part does not start.
        """
        try:
            self._start()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything in reverse order; a part that ended too often is what is raised.

        Raises:
            GaveUp: naming that part.
        """
        self._close()
        if self._failure is not None:
            raise self._failure from None

    def _close(self) -> None:
        with undisturbed():
            self._exits.close()

    def _start(self) -> None:
        home = self.settings.home
        self._exits.enter_context(only_stack(home))
        end_leftovers(home)
        require_free_port(self.door)
        require_kafka(self.settings)
        self._exits.callback(forget, home)
        use_packaged_time_zones()
        threading.Thread(target=_import_ahead, daemon=True).start()
        if self._options is not None:
            self.simulator = SimulatorProgram.of(self._options, home / "logs")
            self._run(self.simulator, stop_within=1, limit=0)
        engine = self._run_warm_engine()
        with self.timings.phase("database"):
            addresses = self._open_database()
        server = self._run_server(addresses)
        with self.timings.phase("migrations"):
            migrate(addresses.maemae)
        self._lead_flows(addresses, engine)
        if self.settings.has_kafka:
            # Without it events wait in the outbox, and the trips look at how many; a kill loses nothing either.
            self._run(relay(home, variables=self._variables), stop_within=1, is_vital=False)
        with self.timings.phase("prefect"):
            server.wait_until_ready()
        self._orchestrate()
        self._exits.enter_context(noted(self.settings, self._act, lambda: self._failure))
        self._change_phase("ready")

    def _open_database(self) -> Addresses:
        """Open the databases; a simulated account is never kept on a server that the owner named."""
        if self.settings.database_url is not None and self._options is None:
            return make_databases(self.settings.database_url.get_secret_value())
        home = self.settings.home
        self._exits.callback(embedded.stop, home)
        url = embedded.start(home).url
        self._keepers.append(Keeper(EmbeddedDatabase(home)))
        is_simulated = self._options is not None
        return make_databases(url, is_simulated=is_simulated, is_fresh=self._is_fresh)

    def _run_server(self, addresses: Addresses) -> Program:
        server = prefect_server(
            self.settings.home,
            door=self.door,
            database_url=addresses.prefect,
            is_scheduling=self._options is None,
        )
        self._run(server, stop_within=3)
        return server

    def _run_warm_engine(self) -> str:
        """Let Prefect and the flows be imported once for all runs; give the address, "" where there is no fork."""
        if sys.platform != "linux":
            return ""
        # A socket's path has 107 bytes at most, which a home may not leave.
        address = f"{self._exits.enter_context(TemporaryDirectory(prefix='maemae-'))}/engine"
        engine = warm_engine(self.settings.home, address)
        self._run(engine, stop_within=1, is_vital=False)
        return address

    def _lead_flows(self, addresses: Addresses, engine: str) -> None:
        """Tell flow runs and console commands where everything is."""
        with self.timings.phase("simulator"):
            simulated = self._simulator_variables()
        self._variables = {
            "MAEMAE_HOME": str(self.settings.home),
            "MAEMAE_CHANNEL": self.settings.channel,
            "MAEMAE_COMMIT": self.settings.commit or commit_of(PROJECT),
            "MAEMAE_DATABASE_URL": addresses.maemae,
            "MAEMAE_PREFECT_API_URL": self.door.api_url,
            **self._password(),
            "MAEMAE_ENGINE": engine,
            **simulated,
        }
        write_runtime(self.settings.home, self._variables)
        os.environ.update(self._variables)
        self.settings = load_settings()
        if self._options is not None:
            open_audit_file(self.settings).forget()  # its log was made anew with the database

    def _password(self) -> dict[str, str]:
        password = self.door.password
        return {} if password is None else {"MAEMAE_PREFECT_AUTH": password}

    def _simulator_variables(self) -> dict[str, str]:
        if self.simulator is None:
            return {}
        self.simulator.wait_until_ready()
        return self.simulator.variables()

    def _orchestrate(self) -> None:
        """Bring Prefect to our state, then let the worker work and the mirror look."""
        from deployments.orchestration import Orchestration  # noqa: PLC0415 - Prefect takes seconds to import

        prefect = Orchestration(self.door.api_url, self.settings)
        with self.timings.phase("runs"):
            prefect.prepare()
        self._run_worker(prefect)
        with self.timings.phase("deployments"):
            self._schedules = prefect.schedules()
            prefect.register(self._schedules)
        mirror = prefect.mirror()
        mirror.start()
        self._exits.callback(mirror.stop, within=3)
        self._keepers.append(Keeper(mirror))
        watcher = threading.Thread(target=self._watch, args=(prefect,), name="watcher")
        watcher.start()
        self._exits.callback(watcher.join)
        self._exits.callback(self._is_ending.set)
        self._exits.callback(self._change_phase, "stopping")

    def _run_worker(self, prefect: Orchestration) -> None:
        program = worker(self.settings.home, door=self.door, variables=self._variables)
        self._run(program, stop_within=3)
        self._exits.callback(prefect.end_runs)

    def _run(
        self, program: Program, *, stop_within: float, limit: int = 5, is_vital: bool = True
    ) -> None:
        self._exits.callback(program.stop, within=stop_within)
        program.start()
        self._programs.append(program)
        healthy = program.is_ready
        self._keepers.append(Keeper(program, healthy, limit=limit, is_vital=is_vital))
        self._note()

    def _watch(self, prefect: Orchestration) -> None:
        """Keep every part running until the end; when one cannot be, end as if by Ctrl-C."""
        looks, stream = 0, HeartMonitor(self.settings.beat_file)
        while not self._is_ending.wait(_LOOK_SECONDS):
            looks += 1
            if stream.look():  # its run is started again below, as after any other death
                telling = partial(prefect.tell, partial(stream_hung, stream.patience))
                threading.Thread(target=telling, daemon=True).start()  # Slack may take its time
            try:
                restarted = [keeper.service.name for keeper in self._keepers if keeper.keep()]
            except MaemaeError as error:
                self._failure = error
                os.kill(os.getpid(), signal.SIGINT)
                return
            if restarted:
                self._note()
            if looks % _VERSION_LOOKS == 0:
                self._schedules = prefect.follow(self._schedules)
            if "worker" in restarted:
                prefect.requeue_lost_runs()
            elif looks % _STREAM_LOOKS == 0:
                prefect.revive_streams()

    def _change_phase(self, phase: Phase) -> None:
        self._phase = phase
        self._note()

    def _note(self) -> None:
        pids = {program.name: program.pid for program in self._programs}
        note = StackNote(
            phase=self._phase,
            supervisor=Footprint.of(os.getpid()),
            channel=self.settings.channel,
            prefect_api_url=self.door.api_url,
            simulator_url=self.settings.simulator_url,
            processes={name: Footprint.of(pid) for name, pid in pids.items() if pid},
        )
        write_note(self.settings.home, note)


def require_free_port(door: Door) -> None:
    """Refuse a port that is taken.

    Raises:
        InvalidSetting: naming the setting.
    """
    if not is_free(door.port, str(door.host)):
        raise InvalidSetting("MAEMAE_PREFECT_PORT", door.port, "a port that no other program uses")


def require_kafka(settings: Settings) -> None:
    """Refuse a Kafka that does not answer or is not as it must be, if one is set.

    Raises:
        LogUnavailable: naming the address and why it does not answer.
        InvalidSetting: naming what it lacks.
    """
    if settings.has_kafka:
        from adapters.kafka.clusters import prepare  # noqa: PLC0415 - most stacks have no Kafka

        asyncio.run(prepare(settings))


def _import_ahead() -> None:
    """Import while the server starts what is needed when it has started."""
    import_module("deployments.orchestration")
