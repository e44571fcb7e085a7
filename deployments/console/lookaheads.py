"""This is the command `lookahead`: whether a strategy decides from what live will have, and from nothing later."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

from adapters.bar_files import read_bars
from backtest.lookahead import LookaheadReport
from deployments.console.speech import option, say, wording
from deployments.console.strategies import find
from deployments.console.tables import paper, print_json
from deployments.examinations import bundled_bars, examine_settings, patient, sentences
from flows.settings import load_channel, load_settings
from plugins.strategies import running

LEAKS: Final = 3
"""The exit code when a strategy is not clean."""


def lookahead(
    strategy: Annotated[str, option("lookahead_strategy")] = "",
    /,
    *,
    data: Annotated[Path | None, option("lookahead_data")] = None,
    as_json: Annotated[bool, option("json", name="--json")] = False,
) -> int:
    """Examine strategies of the channel at every bar; give 0 when all are clean, else 3."""
    channel = load_channel(load_settings())
    chosen = (find(strategy),) if strategy else channel.strategies
    bars = bundled_bars() if data is None else read_bars(data)
    with running(chosen, map(patient, channel.plugins)) as started:
        reports = {each.id: examine_settings(each, channel, bars) for each in started}
    if as_json:
        rows = [_row(name, report) for name, report in reports.items()]
        print_json({"channel": channel.channel, "strategies": rows})
    else:
        for name, report in reports.items():
            _print(name, report)
    return 0 if all(report.is_clean for report in reports.values()) else LEAKS


def _print(name: str, report: LookaheadReport) -> None:
    verdict = "clean" if report.is_clean else "leaks"
    figures = {"strategy": name, "bars": report.bars, "leaks": len(report.leaks)}
    paper().print(say(f"lookahead.{verdict}", **figures), soft_wrap=True)
    for sentence in sentences(report, wording()):
        paper().print(f"  ✗ {sentence}", soft_wrap=True)


def _row(name: str, report: LookaheadReport) -> dict[str, Any]:
    told = sentences(report, wording())
    return {
        "strategy_id": name,
        "is_clean": report.is_clean,
        "warm_up": report.warm_up,
        "bars": report.bars,
        "leaks": [
            {"kind": leak.kind, "symbol": leak.symbol, "message": words, "figures": leak.figures}
            for leak, words in zip(report.leaks, told, strict=True)
        ],
    }
