"""This is what an installation promises: a locked set of versions that works together."""

import re
import tomllib
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN, DEVELOP, INSTALLER = "requirements.lock", "requirements-dev.lock", "deployments/uv.lock"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ]+)(?: ; .+)? \\$")


def requirements(lock: Path) -> dict[str, str]:
    """Split a lock into its requirements: the pinned line -> all that follows it."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", lock.read_text(), flags=re.MULTILINE)
    return dict(block.split("\n", 1) for block in blocks if not block.startswith("#"))


@pytest.mark.parametrize("name", [RUN, DEVELOP, INSTALLER])
def test_every_requirement_is_pinned_with_a_hash(name: str) -> None:
    found = requirements(ROOT / name)

    assert found
    assert [line for line in found if not PINNED.match(line)] == []
    assert [line for line, rest in found.items() if "--hash=sha256:" not in rest] == []


@pytest.mark.parametrize("name", [RUN, DEVELOP, INSTALLER])
def test_a_lock_names_no_address_and_no_path(name: str) -> None:
    told = re.compile(r"^.*(?:://|--\S*index|--find-links| @ |/home|/root|/tmp).*$", re.MULTILINE)

    assert told.findall((ROOT / name).read_text()) == []


@pytest.mark.parametrize(("name", "groups"), [(RUN, ["build"]), (DEVELOP, ["build", "dev"])])
def test_a_lock_holds_every_declared_dependency(name: str, groups: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = [
        *project["project"]["dependencies"],
        *(wanted for group in groups for wanted in project["dependency-groups"][group]),
    ]
    names = {
        re.split(r"[\[<>=~ ]", wanted, maxsplit=1)[0].lower()
        for wanted in declared
        if isinstance(wanted, str)  # a table names another group
    }

    locked = {line.split("==")[0].lower() for line in requirements(ROOT / name)}

    assert names - locked == set()


def test_tests_run_with_the_versions_that_trade() -> None:
    assert requirements(ROOT / RUN).keys() < requirements(ROOT / DEVELOP).keys()


def test_what_trades_has_no_tools_of_tests() -> None:
    assert not [line for line in requirements(ROOT / RUN) if re.match("mypy|pytest|ruff", line)]


def test_the_image_is_given_what_it_copies() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    given = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }

    assert {name for line in copied for name in line.split()} <= given


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
