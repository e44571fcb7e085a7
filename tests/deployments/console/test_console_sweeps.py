"""This is the proof of `maemae sweep` and `maemae walkforward`: tables, going on after Ctrl-C, and plain refusals."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.builders import LG_CHEM, SAMSUNG
from tests.consoles import PROJECT, RUN, Console, run_process
from tests.sweep_worlds import write_bars

CROSS = ("--kind", "moving_average_cross", "--set", "volume_ratio=none", "--set", "volume_window=1")
NO_MARKET = ("--market", "none")
ONE = ("--workers", "1")
AXES = ("fast=2,5", "slow=5:10:5")
"""Three cells; the strategy refuses fast=5 with slow=5."""


@pytest.fixture
def data(tmp_path: Path) -> str:
    """A file of the bars that wander."""
    return str(write_bars(tmp_path / "bars.csv"))


def swept(console: Console, data: str, *words: str) -> dict[str, Any]:
    """Sweep and give the JSON."""
    answer = console("sweep", *AXES, *CROSS, *NO_MARKET, *ONE, "--data", data, *words, "--json")
    assert answer.code == 0, answer.err
    document: dict[str, Any] = answer.document
    return document


def lines(home: Path) -> list[str]:
    """Give the finished trials on disk."""
    (file,) = (home / "sweeps").rglob("*.jsonl")
    return file.read_text("utf-8").splitlines()


def test_a_sweep_writes_one_table_and_one_page(console: Console, home: Path, data: str) -> None:
    document = swept(console, data)
    assert (document["tries"], document["refused"], len(document["rows"])) == (3, 1, 3)
    with Path(document["table"]).open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [(row["fast"], row["slow"]) for row in table] == [
        (str(row["fast"]), str(row["slow"])) for row in document["rows"]
    ]
    assert Path(document["page"]).read_text("utf-8").rstrip().endswith("</html>")
    assert str(home) in document["page"]


def test_what_is_finished_is_not_tried_again_and_every_try_counts(
    console: Console, home: Path, data: str
) -> None:
    first = swept(console, data)
    before = lines(home)
    again = swept(console, data)
    assert lines(home) == before
    assert again["rows"] == first["rows"]
    best = first["rows"][0]
    words = (f"fast={best['fast']}", f"slow={best['slow']}", *CROSS, *NO_MARKET, *ONE)
    alone = console("sweep", *words, "--data", data, "--json").document["rows"][0]
    assert alone["deflated_sharpe"] == best["deflated_sharpe"], "all that was tried spreads it"
    answer = console(
        "sweep", "fast=4", "slow=20", *CROSS, *NO_MARKET, *ONE, "--data", data, "--json"
    )
    assert answer.document["tries"] == 4, "three before it deflate the fourth"


def test_other_axes_days_or_choices_have_a_table_and_a_page_of_their_own(
    console: Console, data: str
) -> None:
    first = swept(console, data)
    page, table = (Path(first[name]).read_bytes() for name in ("page", "table"))
    others = [
        swept(console, data, *more)
        for more in (("--by", "calmar"), ("--random", "2"), ("--to", "2018-03-30"))
    ]
    words = ("fast=4", "slow=20", *CROSS, *NO_MARKET, *ONE)
    others.append(console("sweep", *words, "--data", data, "--json").document)
    for name in ("page", "table"):
        assert len({each[name] for each in (first, *others)}) == 5
    assert [Path(first[name]).read_bytes() for name in ("page", "table")] == [page, table]
    assert swept(console, data)["page"] == first["page"]


def test_other_bars_or_options_are_another_question(
    console: Console, home: Path, data: str
) -> None:
    swept(console, data)
    swept(console, data, "--commission", "0.01")
    text = Path(data).read_text("utf-8")
    Path(data).write_text(text.replace(",100000\n", ",100001\n", 1), "utf-8")
    swept(console, data)
    files = sorted((home / "sweeps").rglob("*.jsonl"))
    assert [len(file.read_text("utf-8").splitlines()) for file in files] == [3] * 3
    assert len({file.parent for file in files}) == 2


def test_the_channels_convention_tries_with_its_limits_and_sizes(
    console: Console, data: str
) -> None:
    asked = ("sweep", "fast=2,5", "slow=10", *CROSS, *ONE, "--data", data, "--json")
    by_channel = console(*asked, "--convention", "channel", "--file", "--cash", "10000000")
    assert by_channel.code == 0, by_channel.err
    rows = by_channel.document["rows"]
    assert sorted(row["fast"] for row in rows) == [2, 5]
    assert all(row["trades"] for row in rows)
    richer = console(*asked, "--convention", "channel", "--file", "--cash", "20000000")
    assert richer.document["rows"][0]["final_equity"] > 15_000_000, "its own rows, not those of 10"
    path = Path(os.environ["MAEMAE_CHANNELS"]) / "dev.yaml"
    document = yaml.safe_load(path.read_text("utf-8"))
    document["sizing"]["target_weight"] = "0.05"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    smaller = console(*asked, "--convention", "channel", "--file", "--cash", "10000000")
    assert smaller.document["tries"] == 6, "another size is another question"
    assert smaller.document["rows"] != rows


@pytest.mark.parametrize("option", ["--table", "--html"])
@pytest.mark.parametrize("place", ["bars.csv/in/table.csv", "a-folder.csv"])
def test_a_place_that_takes_no_file_is_refused_before_anything_is_tried(
    console: Console, data: str, tmp_path: Path, option: str, place: str
) -> None:
    (tmp_path / "a-folder.csv").mkdir()
    before = sorted(tmp_path.rglob("*"))
    answer = console(
        "sweep", *AXES, *CROSS, *NO_MARKET, *ONE, "--data", data, option, str(tmp_path / place)
    )
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(option)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_full_disk_is_told_in_a_sentence_and_leaves_whole_lines(home: Path, data: str) -> None:
    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)); {RUN}"
    words = ("sweep", "fast=2:9:1", "slow=10:40:10", *CROSS, *NO_MARKET, *ONE, "--data", data)
    answer = run_process(*words, code=code)
    assert (answer.code, answer.out) == (2, ""), answer.err
    assert "closed or full: File too large" in answer.err
    assert "kept in" in answer.err
    assert [path.suffix for path in home.rglob("*") if path.is_file()] == [".jsonl"]
    again = run_process(*words, "--json")
    assert again.code == 0, again.err
    assert len(again.document["rows"]) == 32
    assert len(set(lines(home))) == 32


def test_random_cells_come_from_their_seed(console: Console, data: str) -> None:
    def cells(seed: int) -> set[tuple[int, int]]:
        words = ("fast=2:5:1", "slow=6:9:1", *CROSS, *NO_MARKET, *ONE, "--data", data, "--json")
        rows = console("sweep", *words, "--random", "2", "--seed", str(seed)).document["rows"]
        return {(row["fast"], row["slow"]) for row in rows}

    assert cells(3) == cells(3)
    assert cells(1) != cells(3)


def test_a_table_may_be_parquet_and_lie_elsewhere(
    console: Console, data: str, tmp_path: Path
) -> None:
    place = tmp_path / "there" / "table.parquet"
    document = swept(console, data, "--table", str(place), "--html", str(tmp_path / "a.html"))
    assert document["table"] == str(place)
    assert place.read_bytes()[:4] == b"PAR1"
    assert (tmp_path / "a.html").is_file()


def test_the_screen_shows_the_best_first(console: Console, data: str) -> None:
    answer = console("sweep", *AXES, *CROSS, *NO_MARKET, *ONE, "--data", data)
    assert answer.code == 0
    assert "Sweep moving-average-cross, 3 tries" in answer.out
    assert "Chance after all tries" in answer.out
    assert "3 of 3 cells to try" in answer.err


def test_a_walkforward_tells_its_tests_alone(console: Console, data: str) -> None:
    words = ("--train", "100", "--test", "50", *CROSS, *NO_MARKET, *ONE, "--data", data)
    document = console("walkforward", *AXES, *words, "--json").document
    assert document["tries"] == 6
    for fold in document["folds"]:
        assert fold["train_from"] < fold["train_to"] < fold["test_from"] < fold["test_to"]
    days = [point["trading_day"] for point in document["equity"]]
    assert days[0] == document["folds"][0]["test_from"]
    assert document["out_of_sample"]["days"] == len(days)
    shown = console("walkforward", *AXES, *words)
    assert shown.code == 0
    assert "Tests alone, 6 tries" in shown.out


def test_ctrl_c_keeps_what_is_done_and_the_next_run_goes_on(
    console: Console, home: Path, data: str
) -> None:
    many, cells = ("fast=2:60:1", "slow=61:200:1"), 59 * 140
    words = ("sweep", *many, *CROSS, *NO_MARKET, "--workers", "1", "--data", data, "--json")
    with subprocess.Popen(  # noqa: S603 - our own words
        (sys.executable, "-c", RUN, *words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=PROJECT,
        env={**os.environ},
        text=True,
    ) as process:
        until = time.monotonic() + 60
        while not list((home / "sweeps").rglob("*.jsonl")) or not lines(home):
            assert time.monotonic() < until, "nothing was finished in a minute"
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    kept = lines(home)
    assert 0 < len(kept) < cells
    assert "kept in" in err
    assert [path.suffix for path in (home / "sweeps").rglob("*") if path.is_file()] == [".jsonl"]
    again = console("sweep", "fast=2:3:1", "slow=13:20:1", *words[3:])
    assert again.code == 0
    assert lines(home)[: len(kept)] == kept
    keys = [json.loads(line)["key"] for line in lines(home)]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("fats=1,2",), "fats"),
        (("fast",), "fast"),
        (("fast=5:1:1",), "fast"),
        ((), "axes"),
        (("fast=2", "slow=2000"), "slow"),
        (("fast=2", "slow=900"), "bars"),
        (("fast=5,6", "slow=5"), "fast"),
        (("fast=2", "--random", "0"), "random"),
        (("fast=2", "--on", "moon"), "--on"),
        (("fast=2", "--workers", "0"), "--workers"),
        (("fast=2", "--table", "table.xlsx"), "--table"),
        (("fast=2", "--symbols", "999999"), "999999"),
        (("fast=2", "--from", "2030-01-01"), "bars.csv: days"),
        (("fast=2", "--convention", "channel", "--tax", "0"), "--tax"),
        (("fast=2", "--by", "luck"), "by"),
    ],
)
def test_a_bad_sweep_is_refused_by_name_and_writes_nothing(
    console: Console, home: Path, data: str, words: tuple[str, ...], named: str
) -> None:
    given = ("--workers", "1") if "--workers" not in words else ()
    market = NO_MARKET if "--convention" not in words else ()
    answer = console("sweep", *words, *CROSS, *market, *given, "--data", data)
    assert answer.code == 2, answer.err
    assert named in answer.err
    assert not (home / "sweeps").exists()


@pytest.mark.parametrize(
    ("words", "named"),
    [(("--train", "5"), "train"), (("--train", "190"), "train"), (("--test", "3"), "test")],
)
def test_windows_that_the_data_do_not_hold_are_refused(
    console: Console, data: str, words: tuple[str, ...], named: str
) -> None:
    answer = console(
        "walkforward", "fast=2", "slow=5", *words, *CROSS, *NO_MARKET, *ONE, "--data", data
    )
    assert answer.code == 2
    assert named in answer.err


def test_bad_bars_are_named_by_file_and_row(console: Console, home: Path, data: str) -> None:
    text = Path(data).read_text("utf-8").splitlines()
    text[3] = text[3].replace(",100000", ",none")
    Path(data).write_text("\n".join(text) + "\n", "utf-8")
    answer = console("sweep", *AXES, *CROSS, *NO_MARKET, *ONE, "--data", data)
    assert answer.code == 2
    assert "bars.csv line 4" in answer.err
    assert not (home / "sweeps").exists()


def test_symbols_of_the_file_may_be_chosen(console: Console, data: str) -> None:
    assert swept(console, data, "--symbols", LG_CHEM)["symbols"] == 1
    assert swept(console, data, "--symbols", f"{LG_CHEM},{SAMSUNG}")["symbols"] == 2
