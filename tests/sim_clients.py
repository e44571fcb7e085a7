"""This is a plain client of the simulator for its own tests: it spells KIS by hand, on purpose not through ours."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any, Self

import httpx
import websockets
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from adapters.clock import Clock
from adapters.kis_sim.options import Options
from adapters.kis_sim.server import Simulator
from tests.builders import A_DAY, seoul

TRADING = "/uapi/domestic-stock/v1/trading"
QUOTATIONS = "/uapi/domestic-stock/v1/quotations"
ACCOUNT_FIELDS = {"CANO": "50012345", "ACNT_PRDT_CD": "01"}
BUY, SELL, CHANGE = "TTTC0012U", "TTTC0011U", "TTTC0013U"
PAPER_BUY, PAPER_SELL, PAPER_CHANGE = "VTTC0012U", "VTTC0011U", "VTTC0013U"
ROWS, PAPER_ROWS, BALANCE, PRICE = "TTTC0081R", "VTTC0081R", "TTTC8434R", "FHKST01010100"


class Desk:
    """A simulator and a client with a token."""

    def __init__(self, simulator: Simulator, http: httpx.AsyncClient) -> None:
        self.simulator = simulator
        self.http = http
        self.credential = simulator.options.credential
        self.headers: dict[str, str] = {}

    async def sign_in(self) -> Self:
        """Get a token for the headers of every call."""
        reply = await self.ask_token()
        self.headers = {
            "authorization": f"Bearer {reply.json()['access_token']}",
            "appkey": self.credential.appkey,
            "appsecret": self.credential.appsecret,
        }
        return self

    async def ask_token(self) -> httpx.Response:
        """Ask for a token as it is documented."""
        body = {
            "grant_type": "client_credentials",
            "appkey": self.credential.appkey,
            "appsecret": self.credential.appsecret,
        }
        return await self.http.post("/oauth2/tokenP", json=body)

    async def get(self, tr: str, path: str, **parameters: str) -> httpx.Response:
        """Ask for something."""
        headers = self.headers | {"tr_id": tr}
        return await self.http.get(path, params=parameters, headers=headers)

    async def quotation(self, tr: str, call: str, **parameters: str) -> Any:
        """Return the body of a call about prices."""
        fields = {"FID_COND_MRKT_DIV_CODE": "J"} | parameters
        return (await self.get(tr, f"{QUOTATIONS}/{call}", **fields)).json()

    async def account(self, tr: str, call: str, **parameters: str) -> Any:
        """Return the body of a call about the account."""
        return (await self.get(tr, f"{TRADING}/{call}", **ACCOUNT_FIELDS | parameters)).json()

    async def post(self, tr: str, call: str, **fields: str) -> httpx.Response:
        """Send an order call."""
        headers = self.headers | {"tr_id": tr, "content-type": "application/json; charset=utf-8"}
        body = json.dumps(ACCOUNT_FIELDS | fields)
        return await self.http.post(f"{TRADING}/{call}", content=body, headers=headers)

    async def order(
        self, tr: str, symbol: str, quantity: int, price: int = 0, division: str = ""
    ) -> Any:
        """Send an order (market without a price) and return the reply's body."""
        reply = await self.post(
            tr,
            "order-cash",
            PDNO=symbol,
            ORD_DVSN=division or ("00" if price else "01"),
            ORD_QTY=str(quantity),
            ORD_UNPR=str(price),
        )
        return reply.json()

    async def change(self, tr: str, number: str, *, price: int = 0, quantity: int = 0) -> Any:
        """Modify the order to a price, or cancel it without one; all of it, or `quantity`."""
        reply = await self.post(
            tr,
            "order-rvsecncl",
            KRX_FWDG_ORD_ORGNO="",
            ORGN_ODNO=number,
            ORD_DVSN="00",
            RVSE_CNCL_DVSN_CD="01" if price else "02",
            ORD_QTY=str(quantity),
            ORD_UNPR=str(price),
            QTY_ALL_ORD_YN="N" if quantity else "Y",
        )
        return reply.json()

    async def rows(self, tr: str = ROWS, **parameters: str) -> Any:
        """Return today's order rows, newest first."""
        today = f"{self.simulator.simulation.today():%Y%m%d}"
        fields = {"INQR_STRT_DT": today, "INQR_END_DT": today, "CCLD_DVSN": "00"} | parameters
        return (await self.account(tr, "inquire-daily-ccld", **fields))["output1"]

    async def row(self, number: str) -> dict[str, str]:
        """Return the row of one order number of today."""
        rows: list[dict[str, str]] = await self.rows(ODNO=number)
        (row,) = rows
        return row

    async def to(self, clock: str, day: date = A_DAY) -> None:
        """Play the market up to a time of day, with a new token on a new day."""
        before = self.simulator.simulation.today()
        await self.simulator.advance_to(seoul(day, clock))
        if self.simulator.simulation.today() != before:
            await self.sign_in()

    async def fault(self, **table: Any) -> None:
        """Switch faults."""
        (await self.http.patch("/sim/faults", json=table)).raise_for_status()

    async def approval(self) -> str:
        """Get a key for the socket."""
        body = {
            "grant_type": "client_credentials",
            "appkey": self.credential.appkey,
            "secretkey": self.credential.appsecret,
        }
        reply = await self.http.post("/oauth2/Approval", json=body)
        return str(reply.json()["approval_key"])

    @asynccontextmanager
    async def socket(self, *wanted: tuple[str, str], path: str = "") -> AsyncIterator[Socket]:
        """Open a socket and register for pairs of TR and key."""
        async with websockets.connect(f"{self.simulator.ws_url}{path}") as connection:
            socket = Socket(connection, await self.approval())
            for tr, key in wanted:
                socket.acknowledgements.append(await socket.register(tr, key))
            yield socket


class Socket:
    """One open socket."""

    def __init__(self, connection: websockets.ClientConnection, approval: str) -> None:
        self.connection = connection
        self.approval = approval
        self.acknowledgements: list[Any] = []

    async def send(self, tr: str, key: str, kind: str = "1", **header: str) -> None:
        """Send a registration."""
        known = {
            "approval_key": self.approval,
            "custtype": "P",
            "tr_type": kind,
            "content-type": "utf-8",
        }
        document = {"header": known | header, "body": {"input": {"tr_id": tr, "tr_key": key}}}
        await self.connection.send(json.dumps(document))

    async def register(self, tr: str, key: str, kind: str = "1") -> Any:
        """Send a registration and return the answer."""
        await self.send(tr, key, kind)
        return json.loads(await self.text())

    async def text(self, seconds: float = 5) -> str:
        """Return the next frame."""
        return str(await asyncio.wait_for(self.connection.recv(), seconds))

    async def notice(self) -> list[str]:
        """Return the fields of the next notice, which is sealed with the keys of the first registration."""
        return unsealed(await self.text(), self.acknowledgements[0])

    async def fields(self) -> list[str]:
        """Return the fields of the next data frame that is not sealed."""
        return (await self.text()).split("|", 3)[3].split("^")

    async def is_quiet(self, seconds: float = 0.2) -> bool:
        """Tell whether nothing comes for a while."""
        try:
            await self.text(seconds)
        except TimeoutError:
            return True
        return False


def unsealed(frame: str, acknowledgement: Any) -> list[str]:
    """Open a sealed frame by hand and return its fields."""
    flag, _, count, payload = frame.split("|", 3)
    assert (flag, count) == ("1", "001")
    output = acknowledgement["body"]["output"]
    decryptor = Cipher(AES256(output["key"].encode()), CBC(output["iv"].encode())).decryptor()
    padded = decryptor.update(base64.b64decode(payload)) + decryptor.finalize()
    return padded[: -padded[-1]].decode().split("^")


@asynccontextmanager
async def a_desk(*, clock: Clock | None = None, **changes: Any) -> AsyncIterator[Desk]:
    """Open a simulator before the market of `A_DAY`, unpaced, and sign in."""
    settings: dict[str, Any] = {"day": A_DAY, "is_paced": False, "hts_id": "maemae"}
    options = Options(**settings | changes)
    async with (
        Simulator(options, clock=clock) as simulator,
        httpx.AsyncClient(base_url=simulator.url) as http,
    ):
        yield await Desk(simulator, http).sign_in()


def daily_file(folder: Path, rows: Iterable[tuple[str, str, int, int, int, int, int]]) -> Path:
    """Write a CSV of daily bars: symbol, day, open, high, low, close, volume."""
    return _csv(folder / "daily.csv", "symbol,date,open,high,low,close,volume", rows)


def minute_file(folder: Path, rows: Iterable[tuple[str, str, int, int, int, int, int]]) -> Path:
    """Write a CSV of minute bars, labelled with their start."""
    return _csv(folder / "minutes.csv", "symbol,ts,open,high,low,close,volume", rows)


def _csv(path: Path, header: str, rows: Iterable[tuple[str, str, int, int, int, int, int]]) -> Path:
    lines = [header, *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
