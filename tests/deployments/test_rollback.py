"""This is a whole return, measured: other code and settings in place, started, the broker's book compared."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.clock import SystemClock
from adapters.commits import commit_of
from adapters.postgres import PostgresStores, embedded
from adapters.postgres.migrations import migrate
from deployments.programs import free_port
from flows.settings import load_channel, load_settings
from tasks.versions import open_version, propose
from tests.builders import A_DAY, ACCOUNT, SAMSUNG
from tests.consoles import PROJECT, RUN, Answer
from tests.repositories import commit, git

CODE = (
    *("trading", "strategies", "risk", "backtest", "adapters", "plugins", "tasks", "flows", "sql"),
    *("deployments", "pyproject.toml", "requirements.lock", "prefect.yaml"),
)
pytestmark = [pytest.mark.timeout(900), pytest.mark.timed]

LONGEST = 60.0
WORDS = "접근 토큰을 갱신하고"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Our code as the first commit of a repository of its own, and a second one on top of it."""
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in CODE:
        if (PROJECT / name).is_dir():
            shutil.copytree(
                PROJECT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(PROJECT / name, clone / name)
    (clone / ".gitignore").write_text("__pycache__/\n", "utf-8")
    git(clone, "init", "-q")
    commit(clone)
    prefect = clone / "prefect.yaml"
    prefect.write_text(prefect.read_text("utf-8").replace(WORDS, "NEWER"), "utf-8")
    commit(clone)
    return clone


@pytest.fixture
def market() -> Iterator[dict[str, Any]]:
    """A simulator on which somebody has bought ten shares by hand and left an order open."""
    options = ["--port", "0", "--ws-port", "0", "--account", ACCOUNT, "--clock", "step"]
    words = (sys.executable, "-m", "adapters.kis_sim", *options, "--token-interval", "off")
    with subprocess.Popen(  # noqa: S603 - our own words
        words, stdout=subprocess.PIPE, text=True, cwd=PROJECT
    ) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


@pytest.fixture
def variables(clone: Path, market: dict[str, Any], open_folder: Path) -> dict[str, str]:
    """The environment of an installation that trades on paper with the code of the clone."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAEMAE_", "PREFECT_"))}
    return kept | {
        "PYTHONPATH": str(clone),
        "MAEMAE_LANGUAGE": "en",
        "MAEMAE_HOME": str(open_folder / "rollback"),
        "MAEMAE_CHANNEL": "paper",
        "MAEMAE_PREFECT_PORT": str(free_port()),
        "MAEMAE_KIS__ENVIRONMENT": "paper",
        "MAEMAE_KIS__BASE_URL": market["http"],
        "MAEMAE_KIS__WS_URL": market["ws"],
        "MAEMAE_KIS__APPKEY": market["appkey"],
        "MAEMAE_KIS__APPSECRET": market["appsecret"],
        "MAEMAE_KIS__ACCOUNT": ACCOUNT,
    }


@contextmanager
def database(home: Path) -> Iterator[PostgresStores]:
    """Open the installation's memory while its stack is down."""
    url = embedded.start(home).url
    try:
        migrate(url)
        with closing(PostgresStores(url, channel="paper", account=ACCOUNT)) as stores:
            yield stores
    finally:
        embedded.stop(home)


def console(clone: Path, variables: dict[str, str], *words: str) -> Answer:
    """Run a command of the installation."""
    program = (sys.executable, "-c", RUN, *words)
    out, err = (Path(variables["MAEMAE_HOME"]).with_suffix(name) for name in (".out", ".err"))
    with (
        out.open("w") as told,
        err.open("w") as errors,
    ):  # no pipe: what it starts would hold it open
        done = subprocess.run(  # noqa: S603 - our own words
            program, cwd=clone, env=variables, check=False, stdout=told, stderr=errors
        )
    return Answer(done.returncode, out.read_text("utf-8"), err.read_text("utf-8"))


def buy_by_hand(market: dict[str, Any]) -> None:
    """Buy ten shares in HTS, at the limit that fills at once."""
    order = {"account": ACCOUNT, "symbol": SAMSUNG, "side": "BUY", "quantity": 10}
    httpx.post(f"{market['http']}/sim/clock", json={"advance_to": f"{A_DAY}T09:10:00+09:00"})
    httpx.post(f"{market['http']}/sim/orders", json=order | {"price": 50_000}).raise_for_status()
    httpx.post(f"{market['http']}/sim/clock", json={"advance_to": f"{A_DAY}T09:20:00+09:00"})


def deployed_words(variables: dict[str, str]) -> str:
    """Give what Prefect's server says of the deployment whose words the commits differ in."""
    api = f"http://127.0.0.1:{variables['MAEMAE_PREFECT_PORT']}/api"
    rows = httpx.post(f"{api}/deployments/filter", json={}).json()
    return next(str(row["description"]) for row in rows if row["name"] == "refresh-token")


def test_a_return_of_code_and_settings_takes_less_than_a_minute(
    clone: Path, variables: dict[str, str], market: dict[str, Any]
) -> None:
    newer, older = commit_of(clone), git(clone, "rev-parse", "HEAD~1")
    home, at = Path(variables["MAEMAE_HOME"]), SystemClock().now()
    file = load_channel(load_settings(channel="paper"))
    with database(home) as stores:
        open_version(stores, file, at=at, commit=older)
        longer = file.model_copy(update={"history_days": 600})
        propose(stores, longer, reason="so", at=at, commit=newer)
    buy_by_hand(market)
    began = time.monotonic()
    try:
        done = console(clone, variables, "rollback", "--reason", "worse")
        took = time.monotonic() - began
        assert (done.code, done.err) == (0, ""), done.out
        words = deployed_words(variables)
    finally:
        console(clone, variables, "down")
    assert f"The code of {older[:12]} is put in place." in done.out
    assert git(clone, "rev-parse", "HEAD") == older
    assert words.startswith(WORDS)
    with database(home) as stores, stores.begin() as work:
        current, ledger = work.configs.in_force(), work.ledger.load()
        acts = [row.action for row in work.audit.chain()]
    assert current is not None
    assert (current.version, current.snapshot) == (3, (older, file.digest))
    assert ledger.position(SAMSUNG).quantity == 10
    assert [acts.count(act) for act in ("rollback", "rolled back", "up", "reconcile")] == [1] * 4
    assert took < LONGEST
