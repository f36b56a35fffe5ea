"""The checkpoints that a run goes on from: its own, when it is started again, and those of other runs that it may use.

A run of `auto_resume: false` has a salt, its own id, which makes its answers no other run's. Whoever starts a run again under
the same id (Prefect's Retry) continues it, with its salt and its seed, whatever `auto_resume` says by then.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.questions import Selection
from tasks.evaluation.resuming.differences import list_differences, read_prompt
from tasks.evaluation.storage.checkpoint import Checkpoint
from tasks.evaluation.storage.checkpoint_folder import find_checkpoints
from tasks.evaluation.storage.checkpoint_reader import read_named_checkpoint

SEED_RANGE = 2**31


@dataclass(frozen=True)
class Lineage:
    """What a run goes on from.

    `own` were written under this run's id, `others` may be used too; each the newest first. `named` was named on purpose.
    """

    private_run_id: str = ""
    named: Checkpoint | None = None
    own: list[Checkpoint] = field(default_factory=list)
    others: list[Checkpoint] = field(default_factory=list)


def find_lineage(config: Config, run_id: str, notify: Callable[[str], None]) -> Lineage:
    """What the run of this id goes on from.

    Raises:
        UserMistake: the checkpoint that the settings name cannot be read.
    """
    processing = config.processing
    if not processing.enable_checkpointing:
        return Lineage(private_run_id=run_id)
    named = read_named_checkpoint(processing.resume_from_checkpoint) if processing.resume_from_checkpoint else None
    found = find_checkpoints(Path(processing.checkpoint_directory), notify)
    own = [checkpoint for checkpoint in found if checkpoint.provenance.run_id and checkpoint.provenance.run_id == run_id]
    chosen_id = _choose_private_run_id(named, run_id, shares=processing.auto_resume)
    private_run_id = own[0].provenance.private_run_id if own else chosen_id
    others = [each for each in found if each.provenance.private_run_id == private_run_id and each not in own]
    if named:
        # An earlier start of the same command has gone on from the named one, and holds what that one lacks.
        others = [each for each in others if each.provenance.resumed_from == name_resumed(named)]
    return Lineage(private_run_id, named, own, others)


def name_resumed(named: Checkpoint) -> str:
    """How a checkpoint says which one its run was told to continue."""
    return named.path.resolve().name


def choose_selection(config: Config, lineage: Lineage, settings: JsonObject) -> Selection:
    """The selection; a sample without a seed has that of the run it continues, else a drawn one.

    Args:
        config: the settings.
        lineage: the checkpoint that was named and the run's own lend their seed; of others the newest unfinished one like this.
        settings: as `describe_settings` gives them.
    """
    processing = config.processing
    seed = processing.random_seed
    if seed is None:
        seed = _find_lent_seed(config, lineage, settings)
    if seed is None:
        seed = random.SystemRandom().randrange(SEED_RANGE)
    return Selection(processing.random_selection, seed, processing.limit)


def choose_prompt(config: Config, lineage: Lineage, settings: JsonObject, notify: Callable[[str], None]) -> Config:
    """The settings with a prompt for each format; where none is set, that of the newest run which asked all else alike.

    So a grader that is added or taken away, which decides what is asked where nothing else does, costs no answer.

    Args:
        config: the settings.
        lineage: the run's own checkpoints lend their prompt, and of others those that hold results.
        settings: as `describe_settings` gives them.
        notify: takes what the user should know.
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
    """Whether the checkpoint's questions were selected with the same settings."""
    selection = checkpoint.provenance.selection
    return (
        selection.random_selection == config.processing.random_selection
        and selection.limit == config.processing.limit
        and selection.questions_file == config.questions_file
    )


def _is_unfinished(checkpoint: Checkpoint) -> bool:
    selected = checkpoint.provenance.selection.selected_count
    return selected is not None and checkpoint.completed_count < selected
