"""A foreign strategy is examined as it would trade: on symbols of its own, and on more than one when it has more."""

from __future__ import annotations

from pathlib import Path

from backtest.lookahead import LeakKind
from deployments.registrations import EXAMINED_BARS, examined
from strategies.settings import StrategySettings
from tests.builders import LG_CHEM, SAMSUNG
from tests.deployments.console.test_console_lookahead import CHANNELS
from tests.plugin_files import a_strategy_file, approved

KNOWS_THE_OTHER = """
    def evaluate_all(self, universe):
        if len(universe) == 1:
            return {symbol: self.quiet(columns) for symbol, columns in universe.items()}
        rises = np.diff(universe["005930"].close, append=0) > 0
        return {
            symbol: Decisions(rises, ~rises, {}) if len(columns) == len(rises) else self.quiet(columns)
            for symbol, columns in universe.items()
        }
"""


def test_a_strategy_that_compares_its_symbols_is_examined_on_two_of_them(tmp_path: Path) -> None:
    path = a_strategy_file(tmp_path, "return self.quiet(columns)")
    path.write_text(path.read_text("utf-8") + KNOWS_THE_OTHER, "utf-8")
    document = {"id": "tried", "kind": "plugin:tried", "symbols": [SAMSUNG, LG_CHEM]}
    strategy = StrategySettings.model_validate(document)
    report = examined(strategy, approved(f"{path}:Tried"), CHANNELS[0])
    assert report.bars == 2 * (EXAMINED_BARS + 1)
    found = {(leak.kind, leak.symbol) for leak in report.leaks}
    assert (LeakKind.FUTURE_ADDED, LG_CHEM) in found
