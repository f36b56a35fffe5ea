"""The checkpoints that a run continues from: its own, if it is restarted, and those of other runs that it may use.

A run with `auto_resume: false` has a private run id, its own, so that no other run uses its answers. Its shards have the same
id, so that it finds theirs. Restarting a run under the same id (Prefect's Retry) continues it with its private run id and its
seed, whatever `auto_resume` is by then.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.selection import Selection
from tasks.evaluation.resuming.differences import list_differences, read_prompt
from tasks.evaluation.storage.checkpoint import Checkpoint
from tasks.evaluation.storage.checkpoint_folder import find_checkpoints
from tasks.evaluation.storage.checkpoint_reader import read_named_checkpoint

SEED_RANGE = 2**31


@dataclass(frozen=True)
class Lineage:
    """The checkpoints that a run continues from."""

    private_run_id: str = ""
    """The run that alone may use the answers; empty: any run may."""
    named: Checkpoint | None = None
    """The checkpoint that the settings name; None if they name none."""
    own: list[Checkpoint] = field(default_factory=list)
    """Those written under this run's id, the newest first."""
    others: list[Checkpoint] = field(default_factory=list)
    """Those of other runs that it may use, the newest first."""


def find_lineage(config: Config, run_id: str, notify: Callable[[str], None]) -> Lineage:
    """Return the checkpoints that the run with this id continues from.

    Raises:
        UserMistake: the checkpoint that the settings name cannot be read.
    """
    processing = config.processing
    if not processing.enable_checkpointing:
        return Lineage(private_run_id=run_id)
    named = read_named_checkpoint(processing.resume_from_checkpoint) if processing.resume_from_checkpoint else None
    found = find_checkpoints(Path(processing.checkpoint_directory), notify)
    own = [checkpoint for checkpoint in found if checkpoint.provenance.run_id and checkpoint.provenance.run_id == run_id]
    whole_run_id = processing.whole_run_id if processing.shard else None
    chosen_id = _choose_private_run_id(named, whole_run_id or run_id, shares=processing.auto_resume)
    private_run_id = own[0].provenance.private_run_id if own else chosen_id
    others = [each for each in found if each.provenance.private_run_id == private_run_id and each not in own]
    if named:
        # These come from earlier starts of the same command: they continued the named checkpoint, and hold what it lacks.
        others = [each for each in others if each.provenance.resumed_from == name_resumed(named)]
    return Lineage(private_run_id, named, own, others)


def name_resumed(named: Checkpoint) -> str:
    """Return the name by which checkpoints record that their run was to continue this one."""
    return named.path.resolve().name


def choose_selection(config: Config, lineage: Lineage, settings: JsonObject) -> Selection:
    """Return the selection; a sample without a seed takes that of the run it continues, or else a random one.

    Args:
        config: the settings.
        lineage: the source of that seed: the run's own checkpoints, the named one, or else the newest unfinished one of
            another run with the same settings.
        settings: as `describe_settings` returns them.
    """
    processing = config.processing
    seed = processing.random_seed
    if seed is None:
        seed = _find_lent_seed(config, lineage, settings)
    if seed is None:
        seed = random.SystemRandom().randrange(SEED_RANGE)
    return Selection(processing.random_selection, seed, processing.limit)


def choose_prompt(config: Config, lineage: Lineage, settings: JsonObject, notify: Callable[[str], None]) -> Config:
    """Return the settings with a prompt for each format; an unset one is taken from the newest run with equal settings.

    Otherwise adding or removing a grader would cost all answers, because the default prompt depends on it.

    Args:
        config: the settings.
        lineage: the source of the prompt: the run's own checkpoints, and others that hold results.
        settings: as `describe_settings` returns them.
        notify: called with what the user should know.
    """
    chosen = config.complete_prompt()
    if config.prompt.mc is None or config.prompt.qa is None:
        for checkpoint in [*lineage.own, *([lineage.named] if lineage.named else []), *lineage.others]:
            lent = read_prompt(checkpoint)
            candidate = config.prompt.complete(mc=lent.mc or "original", qa=lent.qa or "original") if lent else None
            is_used = checkpoint.completed_count > 0 or checkpoint in lineage.own
            if candidate and is_used and not list_differences(checkpoint, settings | {"prompt": candidate.model_dump()}):
                if candidate != chosen:
                    notify(f"📋 Asked with the prompt of {checkpoint.path}, since the settings name none")
                chosen = candidate
                break
    return config.model_copy(update={"prompt": chosen})


def _choose_private_run_id(named: Checkpoint | None, run_id: str, *, shares: bool) -> str:
    if named:
        return named.provenance.private_run_id
    return "" if shares else run_id


def _find_lent_seed(config: Config, lineage: Lineage, settings: JsonObject) -> int | None:
    continued = [*lineage.own, *([lineage.named] if lineage.named else [])]
    alike = [each for each in lineage.others if _is_unfinished(each) and not list_differences(each, settings)]
    for checkpoint in [*continued, *alike]:
        seed = checkpoint.provenance.selection.random_seed
        if seed is not None and (checkpoint in lineage.own or _is_same_sample(checkpoint, config)):
            return seed
    return None


def _is_same_sample(checkpoint: Checkpoint, config: Config) -> bool:
    """Return True if the checkpoint's questions were selected with the same settings."""
    selection = checkpoint.provenance.selection
    return (
        selection.random_selection == config.processing.random_selection
        and selection.limit == config.processing.limit
        and selection.questions_file == config.questions_file
    )


def _is_unfinished(checkpoint: Checkpoint) -> bool:
    selected = checkpoint.provenance.selection.selected_count
    return selected is not None and checkpoint.completed_count < selected
