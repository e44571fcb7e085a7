"""This is the kill switch on disk: sealed, atomically replaced, and closed whenever it is not as we left it."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.halt_files import SEAL, HaltFile
from tests.builders import A_DAY, seoul
from trading.halts import Halt, TradingState

AT = seoul(A_DAY, "10:00")
HALT = Halt("operator", TradingState.REDUCING, "too fast a market", AT)
TORN_WRITES = 1_000


@pytest.fixture
def file(tmp_path: Path) -> HaltFile:
    """A halt file that nobody has used."""
    return HaltFile(tmp_path / "home" / "halt.json")


def assert_halted(file: HaltFile) -> None:
    (halt,) = HaltFile(file.path).read(at=AT)
    assert (halt.source, halt.state, halt.at) == ("file", TradingState.HALTED, AT)


def test_no_file_means_no_halt(file: HaltFile) -> None:
    assert file.read(at=AT) == ()


def test_a_halt_survives_the_process(file: HaltFile) -> None:
    file.put(HALT)
    assert HaltFile(file.path).read(at=AT) == (HALT,)


def test_one_halt_per_source_strategy_and_symbol(file: HaltFile) -> None:
    file.put(HALT)
    file.put(Halt("operator", TradingState.HALTED, "worse", AT))
    file.put(Halt("operator", TradingState.HALTED, "one strategy", AT, "trend"))
    file.put(Halt("operator", TradingState.HALTED, "one symbol", AT, symbol="005930"))
    assert [halt.reason for halt in file.read(at=AT)] == ["worse", "one strategy", "one symbol"]


def test_a_second_halt_never_loosens_the_first(file: HaltFile) -> None:
    file.put(Halt("operator", TradingState.HALTED, "stop", AT))
    file.put(Halt("operator", TradingState.REDUCING, "buys only", AT))
    assert [(h.state, h.reason) for h in file.read(at=AT)] == [("HALTED", "buys only")]


def test_any_reason_can_be_written(file: HaltFile) -> None:
    odd = Halt("operator", TradingState.HALTED, '한글 "따옴표"\n\udcff\\u0000', AT)
    file.put(odd)
    assert file.read(at=AT) == (odd,)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "null", '[{"source": "x"}]', '{"halts": []}', "[" * 100_000]
)
@pytest.mark.parametrize("is_sealed", [False, True], ids=["by hand", "with our seal"])
def test_what_we_have_not_written_halts_everything(
    file: HaltFile, content: str, *, is_sealed: bool
) -> None:
    file.path.parent.mkdir()
    file.path.write_text(content, encoding="utf-8")
    if is_sealed:
        os.utime(file.path, (SEAL, SEAL))
    assert_halted(file)


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.touch(),
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.unlink(), path.symlink_to(path)),
        lambda path: (path.unlink(), path.symlink_to(path.parent / "nowhere")),
    ],
    ids=["touched", "removed", "emptied", "copied", "folder", "circle", "nowhere"],
)
def test_a_file_that_is_not_as_we_left_it_halts_everything(
    file: HaltFile, harm: Callable[[Path], object]
) -> None:
    file.put(HALT)
    assert file.lift("operator", at=AT)
    assert file.read(at=AT) == ()
    harm(file.path)
    assert_halted(file)


def test_a_home_that_is_no_folder_halts_everything(file: HaltFile) -> None:
    file.path.parent.write_text("a file")
    assert_halted(file)


def test_a_thousand_torn_writes_leave_none_open(file: HaltFile) -> None:
    """Contents that a crash or a broken disk may leave of two writes; each with our time of change."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(2**32))
    print(f"SEED={seed}")  # noqa: T201 - repeats a failure
    dice = random.Random(seed)  # noqa: S311 - to repeat a failure, not for secrets
    file.put(HALT)
    halted = file.path.read_bytes()
    file.lift("operator", at=AT)
    idle = file.path.read_bytes()
    harms = [cut, flip, mix, swap, blank]
    torn = opened = 0
    while torn < TORN_WRITES:
        before, after = dice.choice([(idle, halted), (halted, idle)])
        content = dice.choice(harms)(dice, before, after)
        if content in {idle, halted}:
            continue  # nothing is torn: it is one of the two as a whole
        torn += 1
        file.path.write_bytes(content)
        os.utime(file.path, (SEAL, SEAL))
        opened += not any(halt.state is TradingState.HALTED for halt in file.read(at=AT))
    assert opened == 0


def cut(dice: random.Random, before: bytes, after: bytes) -> bytes:
    """Give the new content up to somewhere."""
    del before
    return after[: dice.randrange(len(after))]


def flip(dice: random.Random, before: bytes, after: bytes) -> bytes:
    """Turn one bit."""
    del before
    place = dice.randrange(len(after))
    return after[:place] + bytes([after[place] ^ (1 << dice.randrange(8))]) + after[place + 1 :]


def mix(dice: random.Random, before: bytes, after: bytes) -> bytes:
    """Give the beginning of one and the end of the other."""
    return after[: dice.randrange(len(after))] + before[dice.randrange(len(before)) :]


def swap(dice: random.Random, before: bytes, after: bytes) -> bytes:
    """Write sectors of the new content over the old one, some of them."""
    size = dice.choice([1, 8, 64])
    longest = max(len(before), len(after))
    return b"".join(dice.choice([before, after])[at : at + size] for at in range(0, longest, size))


def blank(dice: random.Random, before: bytes, after: bytes) -> bytes:
    """Leave zeros where the file had grown but was never written."""
    del before
    place = dice.randrange(len(after))
    return after[:place] + bytes(len(after) - place)


def test_a_full_disk_still_halts(file: HaltFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.put(HALT)
    file.lift("operator", at=AT)

    def refuse(_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(file, "write_draft", refuse)
    with pytest.raises(OSError, match="No space"):
        file.put(HALT)
    assert_halted(file)


def test_a_halt_put_over_an_unreadable_file_leaves_both(file: HaltFile) -> None:
    file.path.parent.mkdir()
    file.path.touch()
    file.put(HALT)
    assert [halt.source for halt in file.read(at=AT)] == ["file", "operator"]


def test_lifting_another_halt_leaves_an_unreadable_file_closed(file: HaltFile) -> None:
    file.put(HALT)
    file.path.touch()
    assert not file.lift("operator", at=AT)
    assert_halted(file)
    assert file.lift("file", at=AT)
    assert file.read(at=AT) == ()


def test_lifting_takes_the_one_that_was_meant(file: HaltFile) -> None:
    others = [
        Halt("operator", TradingState.HALTED, "", AT, "trend"),
        Halt("operator", TradingState.HALTED, "", AT, symbol="005930"),
        Halt("trip:clock", TradingState.HALTED, "", AT),
    ]
    for halt in (HALT, *others):
        file.put(halt)
    assert file.lift("operator", at=AT)
    assert not file.lift("operator", at=AT)
    assert list(file.read(at=AT)) == others
