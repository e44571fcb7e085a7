"""This is where the sentences come from: one YAML file per language, flattened to dotted keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Read every sentence of `language` (ko, en) by its dotted key, e.g. `order.denied.title`."""
    text = files(__package__).joinpath(f"{language}.yaml").read_text(encoding="utf-8")
    return dict(_flat(yaml.safe_load(text), ""))


def _flat(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{key}.")
        else:
            yield key, str(value).strip()
