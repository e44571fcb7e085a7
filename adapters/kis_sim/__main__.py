"""This is the simulator as a command: `python -m adapters.kis_sim`, or `maemae sim`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from adapters.kis_sim.options import Options, parse
from adapters.kis_sim.server import Simulator
from trading.errors import BadInput

if TYPE_CHECKING:
    from adapters.wording import Language


def main(
    argv: Sequence[str] | None = None, prog: str = "maemae sim", language: Language = "en"
) -> int:
    """Run until SIGTERM or SIGINT and return the exit code: 0, or 2 after one sentence on what is wrong.

    `language` is that of `--help`.
    """
    try:
        options = parse(sys.argv[1:] if argv is None else argv, prog, language)
        asyncio.run(_serve(options))
    except BadInput as problem:
        print(f"{prog}: {problem}", file=sys.stderr)  # noqa: T201 - the command line's voice
        return 2
    return 0


async def _serve(options: Options) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with Simulator(options) as simulator:
        print(json.dumps(_ready(simulator)), flush=True)  # noqa: T201 - the line that says ready
        await stopped.wait()


def _ready(simulator: Simulator) -> dict[str, object]:
    """Say where it listens, and with which keys it opens if it made them up; given ones are not repeated."""
    options = simulator.options
    credential = options.credential
    keys = {"appkey": credential.appkey, "appsecret": credential.appsecret}
    return {
        "http": simulator.url,
        "ws": simulator.ws_url,
        "pid": os.getpid(),
        "mode": options.mode.value,
        "profile": options.profile.value,
        "accounts": options.accounts,
        "hts_id": options.hts_id,
        **({} if options.keys else keys),
    }


if __name__ == "__main__":
    raise SystemExit(main())
