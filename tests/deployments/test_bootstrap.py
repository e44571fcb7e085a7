"""This is what an installation promises: a locked set of versions that works together."""

import re
import tomllib
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ]+)(?: ; .+)? \\$")


def requirements(lock: Path) -> dict[str, str]:
    """Split a lock into its requirements: the pinned line -> all that follows it."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", lock.read_text(), flags=re.MULTILINE)
    return dict(block.split("\n", 1) for block in blocks if not block.startswith("#"))


@pytest.mark.parametrize("name", ["requirements.lock", "deployments/uv.lock"])
def test_every_requirement_is_pinned_with_a_hash(name: str) -> None:
    found = requirements(ROOT / name)

    assert found
    assert [line for line in found if not PINNED.match(line)] == []
    assert [line for line, rest in found.items() if "--hash=sha256:" not in rest] == []


@pytest.mark.parametrize("name", ["requirements.lock", "deployments/uv.lock"])
def test_a_lock_names_no_address_and_no_path(name: str) -> None:
    told = re.compile(r"^.*(?:://|--\S*index|--find-links| @ |/home|/root|/tmp).*$", re.MULTILINE)

    assert told.findall((ROOT / name).read_text()) == []


def test_the_lock_holds_every_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[\[<>=~ ]", wanted, maxsplit=1)[0].lower() for wanted in declared}

    locked = {line.split("==")[0].lower() for line in requirements(ROOT / "requirements.lock")}

    assert names - locked == set()


def test_the_prefect_server_can_be_imported() -> None:
    """With a fastapi beyond 0.154 Prefect 3.8 raises a TypeError here, and no flow runs."""
    assert import_module("prefect.server.api.server").create_app


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("console_scripts", "maemae", "deployments.cli:main"),
        ("prefect.plugins", "maemae-short-names", "deployments.prefect_plugin"),
    ],
)
def test_an_entry_point_is_installed_and_loads(group: str, name: str, value: str) -> None:
    (found,) = entry_points(group=group, name=name)

    assert found.value == value
    assert found.load()
