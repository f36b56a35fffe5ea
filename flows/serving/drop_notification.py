"""The automation that `mcqa serve` offers for drops of an accuracy: made once, switched off, and left alone from then on."""

from datetime import timedelta
from uuid import UUID

from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import SyncPrefectClient
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import ObjectNotFound

from tasks.events import DROPPED

DROP_AUTOMATION = "Notify when accuracy drops"
DROP_DESCRIPTION = (
    "Sends a notification when a recurring evaluation is below its baseline beyond doubt. Fill in the address in the block "
    "{block}, or choose a block of your own below, and switch this on."
)
BLOCK = "mcqa-accuracy-drops"
# Nobody owns a name that ends in .example (RFC 2606).
PLACEHOLDER = "https://fill-in.example/webhook"
SUBJECT = "Accuracy dropped: {{ event.resource['prefect.resource.name'] }}"
BODY = "{{ event.payload.message }}\n{{ event.payload.run }}: {{ event.payload.run_url }}"


def ensure_drop_automation(client: SyncPrefectClient) -> None:
    """Create the automation and the notification block that it uses, unless there is an automation of that name."""
    if client.read_automations_by_name(DROP_AUTOMATION):
        return
    trigger = EventTrigger(
        match=ResourceSpecification({"prefect.resource.id": "mcqa.evaluation.*"}),
        expect={DROPPED},
        posture=Posture.Reactive,
        threshold=1,
        within=timedelta(0),
    )
    action = SendNotification(block_document_id=_ensure_block(client), subject=SUBJECT, body=BODY)
    automation = AutomationCore(
        name=DROP_AUTOMATION,
        description=DROP_DESCRIPTION.format(block=BLOCK),
        enabled=False,
        trigger=trigger,
        actions=[action],
    )
    client.create_automation(automation)


def _ensure_block(client: SyncPrefectClient) -> UUID:
    """Return the id of the notification block, which is created unless there is one of its name."""
    try:
        # It was filled in for an automation that has been deleted.
        return client.read_block_document_by_name(BLOCK, CustomWebhookNotificationBlock.get_block_type_slug()).id
    except ObjectNotFound:
        text = {"text": "{{subject}}\n{{body}}"}  # as Slack, Mattermost and others expect it
        saved = CustomWebhookNotificationBlock(name="mcqa", url=PLACEHOLDER, json_data=text).save(BLOCK)
    assert isinstance(saved, UUID), "in synchronous code, save does not give a coroutine"
    return saved
