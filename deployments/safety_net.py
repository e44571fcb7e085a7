"""This is the outer safety net: Prefect itself tells the owner of a failed run, should the run be unable to."""

from __future__ import annotations

from typing import Any, Final

from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import PrefectClient
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.types import SecretDict

from adapters.wording import Wording
from flows.settings import SlackSettings

NAME: Final = "maemae-safety-net"
"""Of the automation and of its block: applied by name, so that there is one of each."""
_POST_MESSAGE: Final = "https://slack.com/api/chat.postMessage"


async def spread_safety_net(client: PrefectClient, slack: SlackSettings, wording: Wording) -> bool:
    """Make or change the automation and give True; without a way to Slack remove it and give False."""
    existing = await client.read_automations_by_name(NAME)
    block = _block(slack)
    if block is None:
        for automation in existing:
            await client.delete_automation(automation.id)
        return False
    wanted = _automation(await block.save(NAME, overwrite=True), wording)
    if not existing:
        await client.create_automation(wanted)
    for automation in existing[:1]:
        await client.update_automation(automation.id, wanted)
    for automation in existing[1:]:
        await client.delete_automation(automation.id)
    return True


def _block(slack: SlackSettings) -> CustomWebhookNotificationBlock | None:
    """Return how to reach the owner. Prefect's own Slack block swallows every failure."""
    text = "{{subject}}\n{{body}}"
    if slack.webhook_url is not None:
        secret = {"webhook": slack.webhook_url.get_secret_value()}
        return _webhook("{{webhook}}", {"text": text}, secret)
    if slack.bot_token is not None:
        token = {"token": slack.bot_token.get_secret_value()}
        return _webhook(_POST_MESSAGE, {"channel": slack.channel, "text": text}, token, "{{token}}")
    return None


def _webhook(
    url: str, body: dict[str, Any], secrets: dict[str, str], token: str = ""
) -> CustomWebhookNotificationBlock:
    return CustomWebhookNotificationBlock(
        name=NAME,
        url=url,
        json_data=body,
        headers={"Authorization": f"Bearer {token}"} if token else None,
        secrets=SecretDict(secrets),
    )


def _automation(block_id: Any, wording: Wording) -> AutomationCore:
    """Tell of every run of every flow that fails or crashes, each by itself."""
    name = "{{ flow.name }} {{ flow_run.name }}"
    return AutomationCore(
        name=NAME,
        description=wording.text("safety_net.description"),
        trigger=EventTrigger(
            expect={"prefect.flow-run.Failed", "prefect.flow-run.Crashed"},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            for_each={"prefect.resource.id"},
            posture=Posture.Reactive,
            threshold=1,
        ),
        actions=[
            SendNotification(
                block_document_id=block_id,
                subject=wording.text("safety_net.subject"),
                body=name + "\n{{ flow_run.state.message }}\n{{ flow_run|ui_url }}",
            )
        ],
    )
