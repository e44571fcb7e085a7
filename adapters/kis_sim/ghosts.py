"""This is what haunts the list of the day's orders: rows that nothing explains, made from the newest true one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adapters.kis_sim.calls import Values
from adapters.kis_sim.faults import Ghost

_NOWHERE: Final = 500
"""A ghost's number lies so far from that of its row, a twin's below it: a test's day never comes there."""
_UNTOUCHED: Final = {
    "tot_ccld_qty": 0,
    "tot_ccld_amt": 0,
    "avg_prvs": "0",
    "cncl_yn": "",
    "cncl_cfrm_qty": 0,
    "rjct_qty": 0,
    "orgn_odno": "",
}

type KeyedRow = tuple[str, Values]


def haunted(
    rows: Sequence[KeyedRow], kinds: Sequence[Ghost], *, is_newest_first: bool
) -> list[KeyedRow]:
    """Add the ghosts of the newest row, in the order of the keys."""
    newest = rows[0] if is_newest_first else rows[-1]
    ghosts = [_ghost(newest, kind) for kind in kinds]
    return sorted((*rows, *ghosts), key=lambda row: row[0], reverse=is_newest_first)


def _ghost(row: KeyedRow, kind: Ghost) -> KeyedRow:
    key, values = row
    if kind is Ghost.REPEATED:
        return row
    day, number = key.split("^")
    away = -_NOWHERE if kind is Ghost.TWIN else _NOWHERE + list(Ghost).index(kind)
    number = f"{int(number) + away:010d}"
    quantity = 0 if kind is Ghost.EMPTY else values["ord_qty"]
    changes = {"odno": number, "ord_qty": quantity, "rmn_qty": quantity}
    if kind is Ghost.OTHER_EXCHANGE:
        changes |= {"excg_id_dvsn_cd": "NXT", "excg_dvsn_cd": "03"}
    return f"{day}^{number}", {**values, **_UNTOUCHED, **changes}
