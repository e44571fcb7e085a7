"""This is what a home folder remembers of its PostgreSQL server: where the data lie, port, password."""

from __future__ import annotations

import json
import os
import secrets
import socket
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from adapters.postgres.installations import ROOT_STATE, Owner, make_passable, server_owner
from trading.errors import StoreUnavailable


@dataclass(frozen=True, slots=True)
class Place:
    """The content of `<home>/postgres/server.json` (mode 0600)."""

    data: Path
    port: int
    password: str = field(repr=False)

    @property
    def folder(self) -> Path:
        """The server user's own folder: data, log, unfinished data."""
        return self.data.parent

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "log"

    @property
    def owner(self) -> Owner:
        """The user that the server runs as."""
        return server_owner(self.folder)

    @property
    def major(self) -> int | None:
        """The version that made the data; only that one can read them."""
        version = self.data / "PG_VERSION"
        return int(version.read_text(encoding="utf-8")) if version.exists() else None

    @property
    def note(self) -> list[str]:
        """The running server's own note (pid, data, start, port, ...); nothing when there is none."""
        with suppress(FileNotFoundError):
            return (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        return []

    @property
    def last_words(self) -> str:
        """The last complaint in the log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        complaints = [line for line in lines if "FATAL" in line or "error:" in line]
        return (complaints or lines or ["it said nothing"])[-1]

    def drop_foreign_note(self) -> None:
        """Remove the note of a server that died if its number is another program's now, as after a reboot.

        PostgreSQL would take any process of the same user for the old server and refuse to start for ever.
        """
        with suppress(FileNotFoundError):
            number = self.note[0] if self.note else ""
            if number and Path(f"/proc/{number}/comm").read_text("utf-8").strip() != "postgres":
                (self.data / "postmaster.pid").unlink()

    def make_folder(self) -> None:
        """Make the server user's folder if it is not there."""
        owner = self.owner
        self.folder.mkdir(mode=0o700, exist_ok=True)
        give(self.folder, owner)


def find_place(home: Path) -> Place | None:
    """Return what `home` remembers, None before the first start."""
    try:
        known = json.loads((home / "postgres" / "server.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    data = (home / "postgres" / known["data"]).resolve()
    return Place(data, known["port"], known["password"])


def choose_place(home: Path) -> Place:
    """Choose and remember a place below `home`, or elsewhere if the server's user cannot pass through to it.

    Raises:
        StoreUnavailable: when data are there whose password is forgotten.
    """
    folder = (home / "postgres" / "server").resolve()
    if (folder / "data").exists():
        expected = "the server.json with their password is gone; put it back or move the data away"
        raise StoreUnavailable(f"{folder / 'data'}: {expected}")
    if not server_owner(folder).can_reach(folder):
        make_passable(ROOT_STATE)
        folder = ROOT_STATE / f"server-{secrets.token_hex(4)}"
    place = Place(folder / "data", _free_port(), secrets.token_hex(24))
    _remember(home, place)
    return place


def with_free_port(home: Path, place: Place) -> Place:
    """Keep the remembered port if nobody has it, else take another and remember that."""
    if _is_free(place.port):
        return place
    moved = replace(place, port=_free_port())
    _remember(home, moved)
    return moved


def give(path: Path, owner: Owner) -> None:
    """Hand a file of ours to the server's user."""
    if not owner.is_us:
        os.chown(path, owner.uid, owner.gid)


def _remember(home: Path, place: Place) -> None:
    target = home / "postgres" / "server.json"
    unfinished = target.with_suffix(".new")
    unfinished.touch(mode=0o600)
    home_of_ours = target.parent.resolve()
    is_ours = place.data.is_relative_to(home_of_ours)  # then the whole home may be moved
    data = place.data.relative_to(home_of_ours) if is_ours else place.data
    document = {"data": str(data), "port": place.port, "password": place.password}
    unfinished.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(target)


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
