"""This is letting plug-ins in from a terminal: their hashes, their examination, and two steps on the live channel."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from tests.consoles import Console, wait
from tests.plugin_files import EXAMPLES, a_strategy_file

BREAKOUT = f"{EXAMPLES / 'breakout.py'}:Breakout"
WHY = ("--reason", "to see")
SEES_TOMORROW = """
        entry = np.zeros(len(columns), dtype=np.bool_)
        entry[:-1] = columns.close[1:] > columns.close[:-1]
        return Decisions(entry, ~entry, {})
"""


def add(console: Console, source: str, channel: str = "dev") -> None:
    """Write into the channel's file what `plugins approve` prints, and a strategy that uses it."""
    answer = console("plugins", "approve", source)
    assert (answer.code, answer.err) == (0, "")
    printed = yaml.safe_load(answer.out)
    file = Path(os.environ["MAEMAE_CHANNELS"]) / f"{channel}.yaml"
    document = yaml.safe_load(file.read_text("utf-8")) | printed
    kind = f"plugin:{printed['plugins'][0]['id']}"
    others = [s for s in document["strategies"] if s["id"] != "foreign"]
    foreign = {"id": "foreign", "kind": kind, "symbols": ["005930"]}
    document["strategies"] = [*others, foreign]
    file.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")


BUSY = """
until = time.process_time() + 0.03
while time.process_time() < until:
    pass
return self.quiet(columns)
"""


def test_lookahead_gives_a_plugin_the_time_that_registering_gives_it(
    console: Console, tmp_path: Path
) -> None:
    add(console, f"{a_strategy_file(tmp_path, BUSY)}:Tried")
    file = Path(os.environ["MAEMAE_CHANNELS"]) / "dev.yaml"
    document = yaml.safe_load(file.read_text("utf-8"))
    document["plugins"][0]["limits"] = {"cpu_seconds": 1}  # a day's evaluation is one question
    file.write_text(yaml.safe_dump(document), "utf-8")
    rows = [f"005930,2018-01-{day:02},100,100,100,{100 + day},1000" for day in range(1, 26)]
    data = tmp_path / "bars.csv"
    data.write_text("\n".join(("symbol,date,open,high,low,close,volume", *rows)))
    answer = console("lookahead", "foreign", "--data", str(data))
    assert (answer.code, answer.err) == (0, "")
    assert "foreign: clean. 23 bars tried" in answer.out


@pytest.mark.usefixtures("database")
def test_what_approve_prints_lets_the_plugin_in(console: Console) -> None:
    add(console, BREAKOUT)
    assert console("plugins", "show", "--json").document == {
        "channel": "dev",
        "plugins": [
            {
                "plugin": "breakout",
                "plugin_group": "strategy",
                "origin": BREAKOUT,
                "state": "files as approved",
            }
        ],
    }
    answer = console("config", "propose", *WHY)
    assert (answer.code, answer.err) == (0, "")
    assert "foreign registered: no look-ahead on 121 bars" in answer.out
    again = console("plugins", "register")
    assert (again.code, again.out) == (0, "")
    (row,) = (r for r in console("audit", "--json").document["rows"] if "register" in r["action"])
    assert row["actor"].startswith("plugin:breakout:")


@pytest.mark.usefixtures("database")
def test_a_strategy_that_looks_ahead_is_not_even_proposed(console: Console, tmp_path: Path) -> None:
    add(console, f"{a_strategy_file(tmp_path, SEES_TOMORROW)}:Tried")
    answer = console("config", "propose", *WHY)
    assert answer.code == 2
    assert "It looks into the future" in answer.err
    assert console("config", "history", "--json").document["versions"] == []
    assert console("plugins", "register").code == 2


@pytest.mark.usefixtures("database")
def test_a_changed_file_is_named(console: Console, tmp_path: Path) -> None:
    path = tmp_path / "breakout.py"
    path.write_bytes((EXAMPLES / "breakout.py").read_bytes())
    add(console, f"{path}:Breakout")
    path.write_text(path.read_text() + "# more\n")
    (row,) = console("plugins", "show", "--json").document["plugins"]
    assert "plugins.breakout.files.breakout.py" in row["state"]
    assert console("config", "propose", *WHY).code == 2


@pytest.mark.usefixtures("database")
def test_a_changed_hash_waits_for_its_approval_on_live(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(os.environ["MAEMAE_CHANNELS"])
    text = (folder / "dev.yaml").read_text("utf-8").replace("channel: dev", "channel: live")
    (folder / "live.yaml").write_text(text, "utf-8")
    monkeypatch.setenv("MAEMAE_CHANNEL", "live")
    path = tmp_path / "breakout.py"
    path.write_bytes((EXAMPLES / "breakout.py").read_bytes())
    add(console, f"{path}:Breakout", "live")
    assert console("config", "propose", *WHY).code == 3
    path.write_text(path.read_text() + "# more\n")
    add(console, f"{path}:Breakout", "live")
    answer = console("config", "propose", *WHY)
    assert answer.code == 3
    assert "foreign registered" in answer.out
    waiting = console("config", "history", "--json").document["versions"][0]
    assert (waiting["version"], waiting["approved_at"]) == (2, None)
    early = console("config", "approve", "2", *WHY)
    assert (early.code, "waited" in early.err) == (2, True)
    changes = console("config", "diff", "--json").document["changes"]
    assert "plugins.breakout.files.breakout.py" in {change["path"] for change in changes}
    wait(monkeypatch, minutes=10)
    approved = console("config", "approve", "2", *WHY)
    assert (approved.code, approved.err) == (0, "")
    assert "plugins.breakout.files.breakout.py" in approved.out, "the difference is shown"
    assert console("config", "diff", "--json").document["changes"] == []
    (row,) = console("plugins", "show", "--json").document["plugins"]
    assert row["state"] == "files as approved"


def test_nothing_is_run_while_it_is_approved(console: Console, tmp_path: Path) -> None:
    path, witness = tmp_path / "tried.py", tmp_path / "witness"
    path.write_text(f"INTERFACE = 1\nopen({str(witness)!r}, 'w')\nclass Tried: ...\n")
    assert console("plugins", "approve", f"{path}:Tried").code == 0
    assert not witness.exists()


def test_an_old_interface_is_told_what_to_change(console: Console, tmp_path: Path) -> None:
    path = tmp_path / "tried.py"
    path.write_text("class Tried: ...\n")
    answer = console("plugins", "approve", f"{path}:Tried")
    assert answer.code == 2
    assert "say `INTERFACE = 1` at the top of the module" in answer.err
