"""This is the one door to KIS: it opens everything for one account and closes it again."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from adapters.clock import Clock
from adapters.kis import calls
from adapters.kis.auth import Auth
from adapters.kis.broker import KisBroker
from adapters.kis.client import KisClient, open_http
from adapters.kis.dead_frames import DeadFrames
from adapters.kis.errors import WRONG_ENVIRONMENT
from adapters.kis.files import shared_name
from adapters.kis.hours import DateHeaders
from adapters.kis.market_data import KisMarketData
from adapters.kis.settings import KisSettings
from adapters.kis.stream import KisStream
from adapters.kis.throttle import Priority, Throttle
from trading.errors import BrokerError, InvalidSetting, Unauthorized

_LOG = logging.getLogger(__name__)
_PROBE: Final = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "005930"}


@dataclass(frozen=True, slots=True)
class Kis:
    """One account at KIS."""

    broker: KisBroker
    market_data: KisMarketData
    stream: KisStream
    auth: Auth
    clock: DateHeaders


@asynccontextmanager
async def open_kis(settings: KisSettings, *, home: Path, clock: Clock) -> AsyncIterator[Kis]:
    """Open KIS. Token and pace lie in `home`, shared by all processes that use the same appkey.

    Raises:
        InvalidSetting: when the appkey is refused, or belongs to the other environment. A broker that does not
            answer is no reason to refuse: each call will say so itself.
    """
    tls = httpx.create_ssl_context()
    async with (
        open_http(settings, tls, keeps_alive=True) as reading,
        open_http(settings, tls, keeps_alive=False) as ordering,
    ):
        hours = DateHeaders()
        reading.event_hooks = ordering.event_hooks = hours.hooks
        auth = Auth(settings, http=ordering, folder=home / "tokens", clock=clock)
        name = shared_name(settings.base_url, settings.appkey.get_secret_value())
        throttle = Throttle(home / "pace", name, calls_per_second=settings.pace)
        client = KisClient(
            settings, auth=auth, throttle=throttle, reading=reading, ordering=ordering
        )
        await _prove(client, auth)
        market_data = KisMarketData(client, clock)
        broker = KisBroker(client, market_data, clock)
        dead_frames = DeadFrames(home / "dead_letters")
        stream = KisStream(settings, auth=auth, clock=clock, dead_frames=dead_frames)
        yield Kis(broker, market_data, stream, auth, hours)


async def give_back_token(settings: KisSettings, *, home: Path, clock: Clock) -> bool:
    """Forget the token of these keys, here and at the broker; whether there was one.

    Raises:
        BrokerError: when the broker does not take it back; here it is forgotten all the same.
    """
    async with open_http(settings, httpx.create_ssl_context(), keeps_alive=False) as http:
        return await Auth(settings, http=http, folder=home / "tokens", clock=clock).revoke()


async def _prove(client: KisClient, auth: Auth) -> None:
    """See once per token that keys and environment go together."""
    if auth.is_proven:
        return
    try:
        await client.read(calls.PRICE, _PROBE, priority=Priority.QUOTE, attempts=1)
    except Unauthorized as problem:
        settings = client.settings
        expected = f"keys that KIS accepts in the {settings.environment} environment: {problem}"
        field = "environment" if problem.code in WRONG_ENVIRONMENT else "appkey"
        value = settings.environment if field == "environment" else "***"
        raise InvalidSetting(field, value, expected) from None
    except BrokerError as problem:
        _LOG.warning("KIS cannot be asked now: %s", problem)
    else:
        await auth.prove()
