"""This is the proof that what is refused about plug-ins, changes and research is told in the owner's own words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

import pytest

from adapters.messages import plugin_failed
from adapters.wording import Wording
from tests.consoles import PROJECT
from trading.errors import InvalidSetting, PluginFault

PLACES: Final = (
    *("plugins", "risk"),
    *(f"tasks/{name}.py" for name in ("channels", "promotions", "registrations", "rehearsals")),
    *(f"tasks/{name}.py" for name in ("returns", "rulings", "versions")),
    *("backtest", "deployments", "flows/run_backtest.py"),
    *(f"tasks/{name}.py" for name in ("day_replays", "equity", "research_bars")),
    "adapters/places.py",
    *(
        f"adapters/{kind}_files.py"
        for kind in ("bar", "csv", "index", "listing", "minute", "trial")
    ),
)
"""Where code lets in, promotes, returns, stops for a rehearsal, and tries on past days."""
SAY_WHY: Final = {
    *("BadInput", "InvalidSetting", "NotApproved", "NotSupported", "PluginFault"),
    *("BrokenFrame", "WrongSchema", "_end"),
}
"""What is raised there; its last argument says what would be right, or what was wrong."""
HANGUL: Final = re.compile("[가-힣]")
KO: Final = Wording("ko")


def told() -> Iterator[tuple[str, str]]:
    """Give each place and the words there, 1 for each figure in them."""
    for place in PLACES:
        path = PROJECT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if words := _words(node):
                    yield f"{file.relative_to(PROJECT)}: {words}", words


def _words(node: ast.AST) -> str:
    match node:
        case ast.Assign([ast.Name("expected" | "reason")], value):
            return _text(value)
        case ast.Call(ast.Name(name) | ast.Attribute(_, name), [*_, last]) if name in SAY_WHY:
            return _text(last)
    return ""


def _text(node: ast.expr) -> str:
    match node:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr(parts):
            return "".join(
                str(part.value) if isinstance(part, ast.Constant) else "1" for part in parts
            )
    return ""


@pytest.mark.parametrize("words", dict(told()).values(), ids=dict(told()).keys())
def test_every_expectation_has_a_korean_sentence(words: str) -> None:
    assert Wording("en").own_words(words) == words
    said = KO.own_words(words)
    assert HANGUL.search(said)
    assert "None" not in said or "None" in words


def test_the_search_finds_what_is_told() -> None:
    assert len(dict(told())) > 40


@pytest.mark.parametrize("reason", ["it took too long", "its process ended"])
def test_what_a_strategy_did_is_told_in_korean(reason: str) -> None:
    message = plugin_failed("foreign", PluginFault("tried", reason), KO)
    words = message.text.splitlines()[-1].removeprefix("플러그인 tried: ")
    assert words == KO.own_words(reason) != reason


def test_which_file_is_wrong_is_told_with_field_and_value() -> None:
    expected = "what was approved, abc: put the file back, or propose its new hash"
    problem = InvalidSetting("plugins.tried.files.tried.py", "def", expected)
    assert KO.fault(PluginFault("tried", problem)) == (
        "플러그인 tried: plugins.tried.files.tried.py='def': "
        "승인된 abc. 파일을 되돌리거나 새 해시를 제안하세요"
    )
    english = Wording("en").fault(PluginFault("tried", problem))
    assert english == str(PluginFault("tried", problem))


def test_what_foreign_code_says_itself_stays_as_it_is() -> None:
    assert KO.fault(PluginFault("tried", "ValueError: on purpose")).endswith(
        "ValueError: on purpose"
    )
