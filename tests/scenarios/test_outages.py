"""This is the kill switch in every outage: sixteen combinations, four levels, and no order leaves.

Files, KIS over the simulator, PostgreSQL, Prefect and Slack are real; what is down is an address where nothing
listens. No order needs Kafka: its address stands for it, and
what waits for it is bounded in the tests of the outbox.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, combinations
from typing import Any

import psycopg
import pytest

from adapters.clock import SystemClock
from adapters.memory.stores import MemoryStores
from adapters.postgres.embedded import EmbeddedServer
from adapters.postgres.migrations import migrate
from adapters.stores import Lease
from deployments.cli import main
from flows.desk import open_desk
from tasks.desk import Desk
from tasks.halts import cancel_open
from tasks.orders import trade
from tasks.reconciliation import reconcile
from tasks.submissions import last_look
from tests.builders import LG_CHEM, SAMSUNG, a_signal, an_intent, looks_good
from tests.consoles import NOWHERE
from tests.flow_worlds import Market, World, a_market, entered
from tests.slack_server import slack_server
from trading.errors import StoreUnavailable, Withheld
from trading.halts import Halt
from trading.orders import Order, OrderIntent, OrderStatus, Side

SERVICES = ("prefect", "postgres", "kafka", "slack")
OUTAGES = list(chain.from_iterable(combinations(SERVICES, n) for n in range(len(SERVICES) + 1)))
STRATEGY = "trend-20-60"
LEVELS: Mapping[str, tuple[str, ...]] = {
    "strategy": ("--strategy", STRATEGY),
    "reducing": ("--level", "reducing"),
    "halted": (),
    "cancel": ("--cancel-open",),
}
ACCOUNTS = tuple(f"500126{number:02}-01" for number in range(len(OUTAGES)))
DEAD = "127.0.0.1:1"


class _LeaseBeside:
    """A lease in memory whose look asks the desk's database: of one that is down nobody can take a lease."""

    def __init__(self, lease: Lease, desk: Desk) -> None:
        self._lease, self._desk = lease, desk

    def look(self) -> tuple[Halt, ...]:
        """Give the halts in force, and make sure after that that the lease is still held."""
        with self._desk.stores.begin() as work:
            halts = work.halts.in_force()
        self._lease.check()
        return halts

    def __getattr__(self, name: str) -> Any:
        """Give everything else of the lease."""
        return getattr(self._lease, name)


@dataclass
class Scene:
    """A desk while some services are down, and the simulator's own book beside it."""

    down: frozenset[str]
    world: World
    desk: Desk
    runner: asyncio.Runner

    @property
    def has_database(self) -> bool:
        return "postgres" not in self.down

    def do[T](self, acts: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(acts)

    def book(self) -> list[Mapping[str, Any]]:
        return self.do(self.world.placed())

    def buy(self, **changes: Any) -> OrderIntent:
        """Order one share at a price that rests."""
        names = {"account": self.world.account, "strategy_id": STRATEGY, "quantity": 1}
        quote = self.do(self.desk.market_data.quote(LG_CHEM))
        intent = an_intent(**names, symbol=LG_CHEM, limit_price=quote.lower_limit)
        return replace(intent, **changes)

    def sell(self) -> OrderIntent:
        """Offer one of the shares held at a price that rests."""
        quote = self.do(self.desk.market_data.quote(SAMSUNG))
        return self.buy(symbol=SAMSUNG, side=Side.SELL, limit_price=quote.upper_limit)

    def rest(self) -> str:
        """Have an open order at the broker; give its number."""
        return self.do(self.desk.broker.place(self.buy(), last_look=looks_good)).broker_order_id

    def withheld(self, intent: OrderIntent) -> str:
        """Go the way to the broker up to the last look; give why it ended there, "" when the order left."""
        with MemoryStores(channel="dev", account=self.world.account).lease("orders") as lease:
            assert lease is not None
            look = partial(self._look, intent, _LeaseBeside(lease, self.desk))
            try:
                self.do(self.desk.broker.place(intent, last_look=look))
            except Withheld as error:
                return error.code
        return ""

    def _look(self, intent: OrderIntent, lease: Lease) -> None:
        order = Order.initialize(intent).submit(at=intent.created_at)
        last_look(self.desk, lease, order, deadline=time.monotonic() + 10)


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    """A simulator at 09:30, where every account holds ten shares of Samsung."""
    with a_market("real", accounts=ACCOUNTS) as market, asyncio.Runner() as runner:
        runner.run(market.to("08:50"))
        for account in ACCOUNTS:
            runner.run(market.order_by_hand(account, SAMSUNG, 10, 60_000))
        runner.run(market.to("09:30"))
        yield market


@pytest.fixture(scope="module")
def outage_database(postgres_server: EmbeddedServer) -> str:
    """A database of this module's own."""
    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE maemae_outages")
    migrate(postgres_server.url_of("maemae_outages"))
    return postgres_server.url_of("maemae_outages")


@pytest.fixture(scope="module")
def running(outage_database: str, prefect_api: str) -> Iterator[Mapping[str, str]]:
    """The addresses of the services while they are up."""
    with slack_server() as slack:
        yield {"postgres": outage_database, "prefect": prefect_api, "slack": slack.webhook}


@pytest.fixture(scope="module", params=OUTAGES, ids=lambda down: "-".join(down) or "all up")
def scene(
    request: pytest.FixtureRequest,
    market: Market,
    running: Mapping[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Scene]:
    down = frozenset(request.param)
    account = ACCOUNTS[OUTAGES.index(request.param)]
    places = {**running, **{name: f"http://{DEAD}/{name}" for name in down}}
    database = NOWHERE if "postgres" in down else running["postgres"]
    variables = {
        "MAEMAE_PREFECT_API_URL": places["prefect"],
        "MAEMAE_KAFKA__BOOTSTRAP_SERVERS": DEAD if "kafka" in down else "",
        "MAEMAE_SLACK__WEBHOOK_URL": places["slack"],
    }
    home = tmp_path_factory.mktemp("home")
    with (
        pytest.MonkeyPatch.context() as patch,
        entered(market, account, home, database) as world,
        asyncio.Runner() as runner,
    ):
        for name, value in variables.items():
            patch.setenv(name, value)
        opened = open_desk(needs_database=False)
        desk = runner.run(opened.__aenter__())
        try:
            scene = Scene(down, world, desk, runner)
            if scene.has_database:
                scene.do(reconcile.fn(desk))
            yield scene
        finally:
            runner.run(opened.__aexit__(None, None, None))


@pytest.mark.parametrize("level", LEVELS)
def test_a_halt_stops_every_order_and_no_cancel(scene: Scene, level: str) -> None:
    resting, buy, sell = scene.rest(), scene.buy(), scene.sell()
    otherwise = "" if scene.has_database else "UNKNOWN"  # nothing leaves uncommitted, halted or not
    other = replace(buy, strategy_id="trend-20-40")
    assert scene.withheld(other) == otherwise  # so that what stops below is the halt
    before = scene.book()
    assert resting in buys(before)

    with seeing_the_halt(scene) as seen:
        code = main(("halt", *LEVELS[level]))
    try:
        assert code == (0 if scene.has_database else 3)
        assert 0 <= seen[0] < 1

        assert_trade_places_nothing(scene, level)
        assert scene.withheld(buy) == "HALTED"
        assert buys(scene.book()) == buys(before)

        assert scene.withheld(sell) == {"strategy": "HALTED", "reducing": otherwise}.get(
            level, "HALTED"
        )
        if level == "strategy":
            assert scene.withheld(replace(sell, strategy_id="another")) == otherwise
        if level != "cancel":
            assert resting in scene.do(cancel_open.fn(scene.desk, pauses=(0.0, 0.0)))
        assert not [order for order in scene.book() if order["open_quantity"]]
    finally:
        go_on(scene)


def assert_trade_places_nothing(scene: Scene, level: str) -> None:
    """Trade a fresh signal: refused at the gate, or not even judged without a database."""
    at = scene.desk.now()
    signal = a_signal(strategy_id=STRATEGY, parameter_hash=level, created_at=at)
    if not scene.has_database:
        with pytest.raises(StoreUnavailable):
            scene.do(trade.fn(scene.desk, [signal]))
        return
    (order,) = scene.do(trade.fn(scene.desk, [signal]))
    assert (order.status, "HALTED" in order.error_message) == (OrderStatus.DENIED, True)


def buys(book: list[Mapping[str, Any]]) -> list[str]:
    """Give the numbers of all buys in the simulator's book."""
    return [order["number"] for order in book if order["side"] == "BUY" and order["act"] == "NEW"]


@contextmanager
def seeing_the_halt(scene: Scene) -> Iterator[list[float]]:
    """Watch the file as any other process does; give the seconds until it stopped something."""
    began, seen = time.monotonic(), list[float]()
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.is_set() and not seen:
            if scene.desk.halt_file.read(at=SystemClock().now()):
                seen.append(time.monotonic() - began)
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        is_over.set()
        watcher.join()


def go_on(scene: Scene) -> None:
    """Lift everything, for the next test."""
    at = scene.desk.now()
    for halt in scene.desk.halt_file.read(at=at):
        scene.desk.halt_file.lift(halt.source, strategy_id=halt.strategy_id, at=at)
    if scene.has_database:
        with scene.desk.stores.begin() as work:
            for halt in work.halts.in_force():
                work.halts.lift(halt.source, strategy_id=halt.strategy_id, reason="", at=at)
