"""This is who is let in: files as they were approved, written for our interface, and nothing run before that is seen."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from plugins.interfaces import INTERFACE, interface_of, require_interface
from plugins.loading import load
from plugins.settings import PluginGroup, PluginSettings
from plugins.sources import approved_sources
from tests.plugin_files import EXAMPLES, approved, runs
from trading.errors import InvalidSetting, PluginFault

WITNESS = "INTERFACE = 1\nopen({path!r}, 'w')\nclass Tried: ...\n"


def a_package(folder: Path) -> Path:
    """Write a plug-in of two files."""
    package = folder / "pair"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("INTERFACE = 1\nfrom .inner.figures import Tried\n")
    (package / "inner" / "__init__.py").write_text("")
    (package / "inner" / "figures.py").write_text(
        "class Tried:\n    from pair.levels import LEVEL\n"
    )
    (package / "levels.py").write_text("LEVEL = 7\n")
    return package


def test_a_package_is_imported_from_the_bytes_that_were_checked(tmp_path: Path) -> None:
    package = a_package(tmp_path)
    sources = approved_sources(approved(f"{package}:Tried"))
    (package / "levels.py").write_text("LEVEL = 8\n")  # a moment later
    assert load("tried", sources).LEVEL == 7
    assert not any(name == "pair" or name.startswith("pair.") for name in sys.modules)


@pytest.mark.parametrize("name", ["__init__.py", "inner/figures.py", "levels.py"])
def test_a_file_that_changed_after_its_approval_is_named(name: str, tmp_path: Path) -> None:
    package = a_package(tmp_path)
    plugin = approved(f"{package}:Tried")
    approved_sources(plugin)
    path = package / name
    path.write_text(path.read_text() + "# one byte more")
    with pytest.raises(InvalidSetting, match="what was approved") as refusal:
        approved_sources(plugin)
    assert refusal.value.field == f"plugins.tried.files.{name}"


def test_a_file_too_many_and_a_file_too_few_are_named(tmp_path: Path) -> None:
    package = a_package(tmp_path)
    plugin = approved(f"{package}:Tried")
    (package / "more.py").write_text("")
    with pytest.raises(InvalidSetting, match=r"more\.py.*no such file"):
        approved_sources(plugin)
    (package / "more.py").unlink()
    (package / "levels.py").unlink()
    with pytest.raises(InvalidSetting, match=r"levels\.py='missing'"):
        approved_sources(plugin)


def test_nothing_of_a_changed_file_is_run(tmp_path: Path) -> None:
    path, witness = tmp_path / "tried.py", tmp_path / "witness"
    path.write_text("INTERFACE = 1\nclass Tried: ...\n")
    plugin = approved(f"{path}:Tried")
    path.write_text(WITNESS.format(path=str(witness)))
    with runs(plugin) as settings, pytest.raises(PluginFault, match="what was approved"):
        assert settings.strategy.warm_up
    assert not witness.exists()


def test_bytecode_beside_an_approved_file_is_never_read(tmp_path: Path) -> None:
    package = a_package(tmp_path)
    plugin = approved(f"{package}:Tried")
    cache = package / "__pycache__"
    cache.mkdir()
    (cache / f"levels.{sys.implementation.cache_tag}.pyc").write_bytes(b"\0" * 64)
    assert load("tried", approved_sources(plugin)).LEVEL == 7


def test_an_installed_entry_point_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_package(tmp_path)
    information = tmp_path / "pair-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: pair\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[maemae.strategies]\nours = pair:Tried\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    plugin = approved("ours")
    assert set(plugin.files) == {
        "__init__.py",
        "inner/__init__.py",
        "inner/figures.py",
        "levels.py",
    }
    assert load("tried", approved_sources(plugin)).LEVEL == 7
    with pytest.raises(InvalidSetting, match=r"entry point of maemae\.rules: -"):
        approved("ours", PluginGroup.RULE)


@pytest.mark.parametrize("source", ["nobody", "missing.py:Tried", "/nowhere/at/all:Tried"])
def test_a_plugin_that_is_not_there_is_refused(source: str) -> None:
    with pytest.raises(InvalidSetting, match="source"):
        approved(source)


@pytest.mark.parametrize("name", ["json", "strategies", "numpy"])
def test_no_plugin_takes_the_place_of_another_module(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.py"
    path.write_text("INTERFACE = 1\nclass Tried: ...\n")
    with pytest.raises(InvalidSetting, match="a module name that nothing else has"):
        load("tried", approved_sources(approved(f"{path}:Tried")))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("INTERFACE = 1", 1),
        ("INTERFACE: int = 3", 3),
        ("'doc'\nimport os\nINTERFACE = 2\n", 2),
        ("", 0),
        ("INTERFACE = '1'", 0),
        ("INTERFACE = 1 + 1", 0),
        ("if True:\n    INTERFACE = 1", 0),
    ],
)
def test_the_interface_is_read_without_running_anything(text: str, number: int) -> None:
    assert interface_of(text.encode()) == number


def test_an_old_interface_is_refused_with_every_step_to_ours() -> None:
    changes = {1: "rename `days`", 2: "give bools", 3: "name the indicators"}
    with pytest.raises(InvalidSetting) as refusal:
        require_interface("tried", 1, current=4, changes=changes)
    expected = "4; 2: rename `days`; 3: give bools; 4: name the indicators"
    assert refusal.value.expected == expected
    with pytest.raises(InvalidSetting, match="4, or a newer maemae"):
        require_interface("tried", 5, current=4, changes=changes)
    require_interface("tried", 4, current=4, changes=changes)


def test_a_plugin_without_an_interface_is_told_what_to_write(tmp_path: Path) -> None:
    path = tmp_path / "tried.py"
    path.write_text("class Tried: ...\n")
    with pytest.raises(InvalidSetting, match="INTERFACE = 1"):
        approved_sources(approved(f"{path}:Tried"))


def test_the_examples_are_written_for_our_interface() -> None:
    names = ("breakout.py", "quiet_hour.py", "paper_house.py")
    assert {interface_of((EXAMPLES / name).read_bytes()) for name in names} == {INTERFACE}


@pytest.mark.parametrize("digest", ["", "abc", "g" * 64, "A" * 64])
def test_a_hash_is_64_digits(digest: str) -> None:
    document = {"id": "tried", "group": "rule", "source": "a:B", "files": {"a.py": digest}}
    with pytest.raises(ValueError, match="String should match pattern"):
        PluginSettings.model_validate(document)
