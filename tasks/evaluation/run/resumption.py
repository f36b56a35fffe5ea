"""What a run takes from the checkpoints and answer logs of earlier runs, and how it reports that."""

from collections.abc import Callable

from tasks.evaluation.config.shards import Shard
from tasks.evaluation.errors import DamagedFile, UserMistake
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.resuming.differences import explain_misfit
from tasks.evaluation.resuming.reuse import Reuser, require_fit
from tasks.evaluation.resuming.reuse_count import Reuse
from tasks.evaluation.run.preparation import Preparation
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.storage.checkpoint import Checkpoint
from tasks.evaluation.storage.layout import ANSWERS_FOLDER
from tasks.evaluation.storage.provenance import SavedSelection

# What decides which questions a shard has.
CUT = ("questions_file", "file_count", "random_selection", "random_seed", "limit", "whole_count", "batch_size")


def reuse_earlier(preparation: Preparation, ledger: Ledger, notify: Callable[[str], None]) -> None:
    """Take from earlier runs' checkpoints and answer logs what fits this run, and report it.

    Raises:
        UserMistake: nothing of the checkpoint that the user named fits.
        StorageFailure: what the answer log holds cannot be made durable.
    """
    ledger.record_unusable()
    if preparation.own_folder is None:
        return
    unusable = len(ledger.results)
    reuser, named = Reuser(ledger, preparation.settings), preparation.lineage.named
    used = _use_named(reuser, named, preparation, notify) if named else Reuse()
    used += _use_newest(reuser, ledger, preparation, notify)
    before = len(ledger.results)
    from_log = reuser.use_log(preparation.own_folder / ANSWERS_FOLDER, notify)
    ledger.conclude_refused()
    _report_log(len(ledger.results) - before, from_log.answers, notify)
    if partly := ledger.count_partly_asked():
        notify(f"📂 Of {partly:,} more questions, some of the {preparation.roster.repeats} repeats are known")
    if len(ledger.results) > unusable:
        _report_resumed(len(ledger.results), len(ledger.questions), is_from_checkpoint=used.finished > 0, notify=notify)


def _use_named(reuser: Reuser, checkpoint: Checkpoint, preparation: Preparation, notify: Callable[[str], None]) -> Reuse:
    try:
        reuse = reuser.use_checkpoint(checkpoint)
    except DamagedFile as error:
        raise UserMistake(f"cannot resume from {checkpoint.path}: {error}") from None
    require_fit(checkpoint, reuse, preparation.settings)
    _report_loaded(checkpoint, reuse, notify)
    return reuse


def _use_newest(reuser: Reuser, ledger: Ledger, preparation: Preparation, notify: Callable[[str], None]) -> Reuse:
    """Use the checkpoints, newest first, until no question is open; older ones of an evaluation only if they hold more."""
    total = Reuse()
    used_counts: dict[str, int] = {}
    passed_over: list[Checkpoint] = []
    own_selection = preparation.describe_selection()
    for checkpoint in [*preparation.lineage.own, *preparation.lineage.others]:
        if not ledger.open_count:
            break
        if is_another_shard(checkpoint.provenance.selection, own_selection):
            continue
        if checkpoint.completed_count <= used_counts.get(checkpoint.evaluation_id, -1):
            continue
        try:
            reuse = reuser.use_checkpoint(checkpoint)
        except DamagedFile as error:
            notify(f"⚠️ Passed over a damaged checkpoint: {checkpoint.path} ({error})")
            continue
        if checkpoint.evaluation_id:
            used_counts[checkpoint.evaluation_id] = checkpoint.completed_count
        if reuse.is_any:
            _report_loaded(checkpoint, reuse, notify)
            total += reuse
        elif checkpoint.completed_count:
            passed_over.append(checkpoint)
    _report_passed_over(passed_over, preparation.settings, notify)
    return total


def is_another_shard(theirs: SavedSelection, ours: SavedSelection) -> bool:
    """Return True if these are two shards of one selection, which share no question.

    Else each of N shards that share a directory would read the checkpoints of all the others.
    """
    if theirs.shard is None or ours.shard is None or theirs.shard == ours.shard:
        return False
    are_alike = Shard.read(theirs.shard).count == Shard.read(ours.shard).count
    return are_alike and all(getattr(theirs, name) == getattr(ours, name) for name in CUT)


def _report_loaded(checkpoint: Checkpoint, reuse: Reuse, notify: Callable[[str], None]) -> None:
    notify(f"📂 Loaded checkpoint: {checkpoint.path}")
    notify(f"   Previous progress: {checkpoint.completed_count:,} questions")
    notify(f"   Checkpoint time: {checkpoint.timestamp.isoformat(timespec='seconds')}")
    if reuse.answers:
        notify(f"   Answers that are graded again: {reuse.answers:,}")
    if reuse.asked_again:
        notify(f"   Refused or failed then, asked again now: {reuse.asked_again:,}")


def _report_passed_over(checkpoints: list[Checkpoint], settings: JsonObject, notify: Callable[[str], None]) -> None:
    if checkpoints:
        newest = checkpoints[0]
        reason = "; ".join(explain_misfit(newest, settings))
        others = f", and {len(checkpoints) - 1} more" if len(checkpoints) > 1 else ""
        notify(f"📂 Passed over: {newest.path} ({reason}){others}")


def _report_log(finished: int, answers: int, notify: Callable[[str], None]) -> None:
    if finished or answers > 0:
        awaiting = f", {answers:,} that await their grade" if answers > 0 else ""
        notify(f"📂 From the answer log: {finished:,} more questions{awaiting}")


def _report_resumed(done: int, total: int, *, is_from_checkpoint: bool, notify: Callable[[str], None]) -> None:
    if is_from_checkpoint:
        notify(f"🔄 Resuming from checkpoint with {done:,} completed questions")
    notify(f"📋 Resuming: Skipping {done:,} already completed questions")
    notify(f"📋 Remaining: {total - done:,} questions to process")
    notify(f"📊 Progress: Starting from {done:,}/{total:,} ({done / total:.1%})")
    if done == total:
        notify("Every question is already scored: nothing is asked, and the results are written again")
