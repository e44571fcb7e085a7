"""This is the command `why`: the whole chain behind one order or signal, and what would have made it pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from deployments.console.accounts import open_account
from deployments.console.chains import read_chain
from deployments.console.rows import FILLS, ORDERS, SIGNALS
from deployments.console.speech import option, say, wording
from deployments.console.tables import Column, paper, print_facts, print_json, print_table
from trading.decisions import Breach, Verdict
from trading.orders import OrderStatus

SHOWN_BARS: Final = 5
"""How many of the bars people see; programs get all."""
BARS: Final = (
    Column("trading_day", "short_day"),
    Column("open", "won"),
    Column("high", "won"),
    Column("low", "won"),
    Column("close", "won"),
    Column("volume", "shares"),
)
INDICATORS: Final = (Column("name"), Column("figure"))
VERDICTS: Final = (Column("rule"), Column("verdict", "@verdict"), Column("sentence"))
TIMELINE: Final = (Column("at", "time"), Column("status", "@status"), Column("detail"))
COSTS: Final = (Column("value", "won"), Column("commission", "won"), Column("tax", "won"))


def why(
    identity: Annotated[str, option("why")],
    /,
    *,
    as_json: Annotated[bool, option("json", name="--json")] = False,
) -> None:
    """Show bars, signal, verdicts, order, the broker's words, fills and costs of one order or signal."""
    with open_account() as account:
        today = account.today()
        with account.stores.begin() as work:
            chain = read_chain(work, identity, today=today)
    if as_json:
        print_json({**account.heading(today), **chain})
        return
    _tell_signal(chain)
    for part in chain["orders"]:
        _tell_order(part)


def _tell_signal(chain: Mapping[str, Any]) -> None:
    signal = chain["signal"]
    if signal is None:
        paper().print(say("why.no_signal"))
        return
    print_table(say("title.why_bars"), BARS, chain["bars"][-SHOWN_BARS:])
    told = signal | {"sentence": wording().reason(signal["reason"])}
    print_facts(say("title.why_signal"), SIGNALS, told)
    indicators = [{"name": name, "figure": value} for name, value in signal["indicators"].items()]
    print_table(say("title.why_indicators"), INDICATORS, indicators)
    if chain["refusals"]:
        _tell_verdicts(chain["refusals"], largest=None)
    elif not chain["orders"]:
        paper().print(say("why.no_order"))


def _tell_order(part: Mapping[str, Any]) -> None:
    order = part["order"]
    _tell_verdicts(part["verdicts"], largest=part["largest_quantity"])
    print_facts(say("title.why_order"), ORDERS, order | {"sentence": _order_sentence(part)})
    timeline = [row | {"detail": wording().reason(row["detail"])} for row in part["timeline"]]
    print_table(say("title.why_timeline"), TIMELINE, timeline)
    if order["status"] is OrderStatus.REJECTED:
        words = f"{order['error_code']} {order['error_message']}".strip()
        paper().print(say("why.broker", words=words), soft_wrap=True)
    if doubt := part["doubt"]:
        lines = [say("why.searched", scans=doubt["scans"]), *doubt["sentences"]]
        paper().print(say("title.why_doubt"), *lines, sep="\n- ", soft_wrap=True)
    print_table(say("title.why_fills"), FILLS, part["fills"])
    if part["fills"]:
        print_facts(say("title.why_costs"), COSTS, part["costs"])


def _tell_verdicts(verdicts: Sequence[Mapping[str, Any]], *, largest: int | None) -> None:
    print_table(say("title.why_verdicts"), VERDICTS, [_verdict(each) for each in verdicts])
    denied = [_breach(each) for each in verdicts if each["verdict"] is Verdict.DENIED]
    if not denied:
        return
    lines = [f"- {wording().remedy(breach)}" for breach in denied]
    if largest is not None:
        key = "why.largest" if largest else "why.no_quantity"
        lines.append(f"- {say(key, largest=largest)}")
    paper().print(say("title.why_remedies"), *lines, sep="\n", soft_wrap=True)


def _verdict(each: Mapping[str, Any]) -> dict[str, Any]:
    """Tell a refusal and a pass each in its sentence."""
    breach = _breach(each)
    is_denied = each["verdict"] is Verdict.DENIED
    rule = wording().rule(breach.rule_id)
    denied = wording().breach(breach).removeprefix(f"{rule}: ")
    said = denied if is_denied else wording().passed(breach)
    return {"rule": rule, "verdict": each["verdict"], "sentence": said}


def _order_sentence(part: Mapping[str, Any]) -> str:
    """Name the rules that denied the order, which are told above; else the broker's words."""
    if part["order"]["status"] is not OrderStatus.DENIED:
        return str(part["order"]["error_message"])
    denied = (each for each in part["verdicts"] if each["verdict"] is Verdict.DENIED)
    return ", ".join(wording().rule(each["rule_id"]) for each in denied)


def _breach(each: Mapping[str, Any]) -> Breach:
    return Breach(each["rule_id"], each["message"], each["figures"])
