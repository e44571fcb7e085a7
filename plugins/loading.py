"""This is importing a plug-in from the bytes that were checked: the disk, and what is cached there, is not asked again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import decode_source, spec_from_loader
from types import ModuleType
from typing import Any

from plugins.sources import Sources
from trading.errors import InvalidSetting


class Shelf(MetaPathFinder, InspectLoader):
    """Finds the modules of one plug-in, and nothing else."""

    def __init__(self, sources: Sources) -> None:
        """Name each file as the module that it is."""
        self._sources = {
            sources.module_of(path): (path, text) for path, text in sources.files.items()
        }

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Give the module if it is one of the plug-in's."""
        del path, target
        return spec_from_loader(fullname, self) if fullname in self._sources else None

    def is_package(self, fullname: str) -> bool:
        """Tell whether the module has others below it."""
        return self._sources[fullname][0].endswith("__init__.py")

    def get_source(self, fullname: str) -> str:
        """Give the module's text."""
        return decode_source(self._sources[fullname][1])


def load(plugin: str, sources: Sources) -> Any:
    """Import a plug-in and give what its source names.

    Its modules stay with it alone: another version of them can be imported later on, and nothing finds them.

    Raises:
        InvalidSetting: when its module is named like another, or has no such name in it.
    """
    top = sources.top
    if top in sys.stdlib_module_names or top in sys.modules:
        raise InvalidSetting(f"plugins.{plugin}.source", top, "a module name that nothing else has")
    shelf = Shelf(sources)
    sys.meta_path.insert(0, shelf)
    try:
        module = import_module(sources.module)
    finally:
        sys.meta_path.remove(shelf)
        for path in sources.files:
            sys.modules.pop(sources.module_of(path), None)
    if not hasattr(module, sources.attribute):
        raise InvalidSetting(f"plugins.{plugin}.source", sources.attribute, f"a name in {top}")
    return getattr(module, sources.attribute)
