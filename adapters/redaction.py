"""This is what nobody may read in a log or a message: secrets struck out, account numbers half hidden."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

STRUCK: Final = "***"

_SECRET_NAME: Final = re.compile(
    r"app_?key|app_?secret|secret|token|authorization|password|passwd|approval_?key|webhook|api_?key|"
    r"(^|_)(iv|key)$",
    re.IGNORECASE,
)
_ACCOUNT_NAME: Final = re.compile(r"account|cano|acnt_?no", re.IGNORECASE)

_ACCOUNT_NUMBER: Final = re.compile(r"\d{8}(-?\d{2})?")

_SECRET_TEXT: Final = (
    re.compile(r"(?<=bearer )[\w.~+/=-]+", re.IGNORECASE),
    re.compile(r"xox[a-z]-[\w-]+"),
    re.compile(r"(?<=hooks\.slack\.com/services/)[\w/]+"),
    re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]+"),
    re.compile(r"(?<=://)[^\s/:@]+:[^\s/@]+(?=@)"),
    re.compile(
        r"(?<![A-Za-z])(?:app_?key|app_?secret|secretkey|access_token|token|approval_key|password)"
        r"(?P<between>[\"']?\s*[=:]\s*[\"']?)(?P<secret>(?!\*\*\*)[^\s\"'&,;}]+)",
        re.IGNORECASE,
    ),
)
_ACCOUNT_TEXT: Final = (
    re.compile(r"(?<![\w-])\d{8}-\d{2}(?![\w-])"),
    re.compile(r"(?<=CANO=)\d{8}"),
    re.compile(r"(?<=CANO[\"']: [\"'])\d{8}"),
)


def mask_account(account: str) -> str:
    """Hide all but the first two digits and the product code: 50012345-01 becomes 50******-01."""
    number, dash, product = account.partition("-")
    return f"{number[:2]}{'*' * (len(number) - 2)}{dash}{product}"


class Redactor:
    """Strikes secrets from anything that is about to be written.

    `secrets` and `accounts` are known values, found wherever they occur; what only looks like a secret (a bearer
    token, a field called appsecret, an account number in the usual form) is struck too.
    """

    def __init__(self, *, secrets: Iterable[str] = (), accounts: Iterable[str] = ()) -> None:
        """Take the values that are known to be secret; empty ones are ignored."""
        known = {secret: STRUCK for secret in secrets if secret}
        for account in accounts:
            forms = {account, account.replace("-", ""), account.partition("-")[0]}
            known |= {form: mask_account(form) for form in forms if form}
        self._known = dict(sorted(known.items(), key=lambda item: -len(item[0])))

    def clean(self, value: Any, *, name: str = "") -> Any:
        """Give `value` without secrets, whatever it is made of; `name` is the field it stands in."""
        if name and value is not None and _SECRET_NAME.search(name):
            return STRUCK
        if isinstance(value, Mapping):
            return {
                self.clean_text(str(key)): self.clean(inner, name=str(key))
                for key, inner in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self.clean(inner, name=name) for inner in value]
        text = self.clean_text(str(value))
        if _ACCOUNT_NAME.search(name) and _ACCOUNT_NUMBER.fullmatch(text):
            return mask_account(text)
        return value if value is None or isinstance(value, bool | int | float) else text

    def clean_text(self, text: str) -> str:
        """Give a text without secrets."""
        for secret, instead in self._known.items():
            text = text.replace(secret, instead)
        for pattern in _SECRET_TEXT:
            text = pattern.sub(_struck, text)
        for pattern in _ACCOUNT_TEXT:
            text = pattern.sub(lambda found: mask_account(found[0]), text)
        return text


def _struck(found: re.Match[str]) -> str:
    """Strike the whole match, or only the part that the pattern calls secret."""
    if "secret" not in found.re.groupindex:
        return STRUCK
    return found[0][: found.start("secret") - found.start()] + STRUCK
