"""This is what happens when a run fails or crashes: the owner is told, at once and without the database."""

from __future__ import annotations

from typing import Any

from adapters.messages import flow_failed
from flows.desk import open_owner_channel
from flows.settings import load_settings


def tell_failure(flow: Any, flow_run: Any, state: Any) -> None:
    """Send one critical message; the signature is Prefect's."""
    settings = load_settings()
    notifier, wording = open_owner_channel(settings)
    link = f"{settings.public_prefect_url}/runs/flow-run/{flow_run.id}"
    notifier.send(flow_failed(flow.name, state.name, state.message or "", wording, link=link))
