"""This is what each process of the stack gets to see of the environment: no more than it needs."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from zoneinfo import reset_tzpath

import certifi

from deployments.doors import Door

POOL: Final = "local"
_UNWANTED: Final = ("PREFECT_", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED")
_QUIET: Final = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
}


def plain_environment() -> dict[str, str]:
    """Return our own environment without Prefect's settings, and with our Python first on the path."""
    ours = {n: v for n, v in os.environ.items() if not n.startswith(_UNWANTED)}
    path = os.pathsep.join((str(Path(sys.executable).parent), ours.get("PATH", os.defpath)))
    return ours | {"PATH": path, "PYTHONUNBUFFERED": "1"}


def use_packaged_time_zones() -> None:
    """Let Python, here and in every program started from here, take time zones from the package tzdata.

    Prefect lists all zones for every schedule that it reads. From the system that opens 600 files, from the
    package one; half the load of an idle server is nothing else.
    """
    if find_spec("tzdata") is not None:
        os.environ["PYTHONTZPATH"] = ""
        reset_tzpath(())


def server_environment(
    home: Path, *, door: Door, database_url: str, is_scheduling: bool
) -> dict[str, str]:
    """Return what the Prefect server sees. It alone knows its database.

    It schedules nothing where the market's time is simulated.
    """
    return plain_environment() | {
        **_QUIET,
        **door.server_variables(),
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url,
        "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": str(is_scheduling).lower(),
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    }


def worker_environment(
    home: Path, *, door: Door, health_port: int, variables: Mapping[str, str]
) -> dict[str, str]:
    """Return what the worker sees, and with it every flow run: `variables` are ours (MAEMAE_*)."""
    return plain_environment() | {
        **_QUIET,
        **variables,
        **door.client_variables(),
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_API_SSL_CERT_FILE": str(_one_authority(home / "prefect")),
        "PREFECT_WORKER_QUERY_SECONDS": "0.5",
        "PREFECT_WORKER_WEBSERVER_HOST": "127.0.0.1",
        "PREFECT_WORKER_WEBSERVER_PORT": str(health_port),
    }


def engine_environment(home: Path) -> dict[str, str]:
    """Return what the warm engine sees while it imports; a copy takes on the environment of its run.

    A library that starts threads at import would make copying unsafe.
    """
    single = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return plain_environment() | _QUIET | single | {"PREFECT_HOME": str(home / "prefect")}


def _one_authority(folder: Path) -> Path:
    """Make a file with a single certificate.

    Prefect reads a whole bundle of authorities for each of the dozen clients of a run, a third of a second in
    all, although our server is on this machine and speaks without TLS.
    """
    end = "-----END CERTIFICATE-----"
    bundle = Path(certifi.where()).read_text(encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "authority.pem"
    file.write_text(bundle[: bundle.index(end) + len(end)] + "\n", encoding="utf-8")
    return file
