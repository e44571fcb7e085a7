"""This is a plug-in's files: where they are, their hashes, and nothing of them run before they are the approved ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from plugins.interfaces import interface_of, require_interface
from plugins.settings import PluginGroup, PluginSettings
from trading.errors import InvalidSetting

PROJECT: Final = Path(__file__).resolve().parent.parent
"""Where paths that do not begin at the root begin."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One file or one folder, and the name in it: `module` is dotted and begins with the file's or folder's name."""

    root: Path
    module: str
    attribute: str


@dataclass(frozen=True, slots=True)
class Sources:
    """The bytes that were checked, so that nothing else can be run than what was: by path below the top module."""

    module: str
    attribute: str
    files: Mapping[str, bytes]

    @property
    def top(self) -> str:
        """The name of the file or folder."""
        return self.module.partition(".")[0]

    @property
    def main(self) -> bytes:
        """The module that holds the plug-in; nothing when there is none."""
        found = (text for path, text in self.files.items() if self.module_of(path) == self.module)
        return next(found, b"")

    def module_of(self, path: str) -> str:
        """Give the dotted name of the module in a file."""
        parts = [part for part in path.removesuffix(".py").split("/") if part != "__init__"]
        return ".".join((self.top, *parts)) if "__init__.py" in self.files else self.top


def find_origin(plugin: str, group: PluginGroup, source: str) -> Origin:
    """Find a plug-in without running any of it.

    Raises:
        InvalidSetting: when there is no such entry point or file.
    """
    place, is_path, attribute = source.rpartition(":")
    if not is_path:
        return _installed(plugin, group, source)
    root = PROJECT / place
    if not root.exists():
        raise InvalidSetting(f"plugins.{plugin}.source", source, "a path that is there, and a name")
    return Origin(root, root.stem, attribute)


def _installed(plugin: str, group: PluginGroup, name: str) -> Origin:
    offered = entry_points(group=group.entry_points)
    if name not in offered.names:
        there = ", ".join(sorted(offered.names)) or "-"
        expected = f"path:Name, or an installed entry point of {group.entry_points}: {there}"
        raise InvalidSetting(f"plugins.{plugin}.source", name, expected)
    point = offered[name]
    spec = find_spec(point.module.partition(".")[0])
    if spec is None or spec.origin is None:
        raise InvalidSetting(f"plugins.{plugin}.source", point.module, "a module with files")
    root = Path(spec.origin)
    return Origin(root.parent if root.stem == "__init__" else root, point.module, point.attr)


def read_sources(origin: Origin) -> Sources:
    """Read every Python file of a plug-in."""
    root = origin.root
    paths = (
        {root.name: root} if root.is_file() else {_below(root, p): p for p in root.rglob("*.py")}
    )
    files = {name: path.read_bytes() for name, path in sorted(paths.items())}
    return Sources(origin.module, origin.attribute, files)


def _below(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def digests_of(sources: Sources) -> dict[str, str]:
    """Give the SHA-256 of each file."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in sources.files.items()}


def approved_sources(settings: PluginSettings) -> Sources:
    """Give the files of a plug-in if they are those of the whitelist and are written for our interface.

    Raises:
        InvalidSetting: naming the file that differs, or what to change.
    """
    sources = read_sources(find_origin(settings.id, settings.group, settings.source))
    found = digests_of(sources)
    for name in sorted(found.keys() | settings.files.keys()):
        if found.get(name) != settings.files.get(name):
            approved = settings.files.get(name, "no such file")
            expected = f"what was approved, {approved}: put the file back, or propose its new hash"
            field = f"plugins.{settings.id}.files.{name}"
            raise InvalidSetting(field, found.get(name, "missing"), expected)
    try:
        number = interface_of(sources.main)
    except SyntaxError as error:
        raise InvalidSetting(f"plugins.{settings.id}.source", str(error), "Python") from None
    require_interface(settings.id, number)
    return sources
