"""The flow that scores a file of questions in shards: other runs ask the parts, then it runs the whole as any run does."""

from asyncio import CancelledError
from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from flows.ending.failing import fail
from flows.ending.recurrence import Recurrence
from flows.opening.run_names import name_flow_run
from flows.process.quiet_logs import leave_out_tracebacks
from flows.score_questions import ALSO_AS_IN_FILE, AS_IN_FILE, MOST_THREADS, Changes, ConfigFile, Further, evaluate
from flows.sharding.ask_in_shards import ask_in_shards
from flows.sharding.shard_settings import ShardSettings
from flows.stopping.lost_place import end_before_opening
from tasks.evaluation.errors import EvaluationError

ShardCount = Annotated[int, Field(ge=1, le=10_000, json_schema_extra={"title": "Shards"})]
Queue = Annotated[str, Field(json_schema_extra={"title": "Work queue"})]
QUEUE = "shards"


# The same name: in Prefect's UI, in its filters and automations, this is a run like any other.
@flow(
    name="score-questions",
    flow_run_name=name_flow_run,
    task_runner=ThreadPoolTaskRunner(max_workers=MOST_THREADS),  # type: ignore[arg-type]  # Prefect's own types disagree
    persist_result=False,
)
def score_in_shards(
    shards: ShardCount = 8,
    *,
    queue: Queue = QUEUE,
    config_file: ConfigFile = None,
    overrides: Changes = AS_IN_FILE,
    auto_resume: Recurrence = None,
    advanced: Further = ALSO_AS_IN_FILE,
) -> State[None]:
    """Score the questions in shards, each in a run of its own on whichever worker takes it.

    Args:
        shards: the number of parts that the questions are divided into; more than there are workers, so that a slow or lost one
            has little to make up for.
        queue: the work queue in which the shards wait for workers.
        config_file: the path of the YAML file of settings, as the workers see it.
        overrides: settings for this run alone. What is left empty is taken from the configuration file.
        auto_resume: true reuses what earlier runs have answered; false asks everything again, as recurring evaluations must. It
            holds whatever the other fields say. A retry continues its own run and shards anyway.
        advanced: further settings for this run alone, seldom changed.
    """
    leave_out_tracebacks()
    changes = overrides.combine(advanced).resume(auto_resume)
    try:
        end = ask_in_shards(ShardSettings(config_file or None, changes, queue), shards)
        return end or evaluate(config_file or None, changes)
    except EvaluationError as error:
        return fail(str(error), error=error)
    except CancelledError:
        return end_before_opening()
