"""What earlier attempts of a flow run have left in Prefect's UI, which lists the artifacts of all attempts side by side."""

from collections.abc import Iterable
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, ArtifactFilterType
from prefect.client.schemas.objects import Artifact
from prefect.exceptions import ObjectNotFound


def read_artifacts(run_id: UUID) -> list[Artifact]:
    """Return the artifacts of this flow run that the UI shows."""
    with get_client(sync_client=True) as client:
        return client.read_artifacts(
            artifact_filter=ArtifactFilter(
                flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]), type=ArtifactFilterType(not_any_=["result"])
            )
        )


def delete_artifacts(artifacts: Iterable[Artifact]) -> None:
    """Delete these artifacts; one that somebody else has deleted is no failure."""
    with get_client(sync_client=True) as client:
        for artifact in artifacts:
            try:
                client.delete_artifact(artifact.id)
            except ObjectNotFound:
                continue
