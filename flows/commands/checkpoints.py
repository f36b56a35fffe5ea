"""`mcqa checkpoints`: what a checkpoint directory holds, as tables for people or JSON for programs. Prefect is not imported."""

import argparse
from collections.abc import Callable
from pathlib import Path

from flows.commands.arguments import read_input_path, read_path, read_positive
from flows.commands.checkpoint_tables import describe_pairs, format_size, print_table
from flows.commands.checkpoints_doctor import add_doctor
from flows.process.terminal import EXIT_DONE, EXIT_UNFINISHED, print_json, print_line, print_pairs, printable
from tasks.evaluation.errors import DamagedFile, UserMistake
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.resuming.housekeeping import prune, split_running
from tasks.evaluation.resuming.overview import Overview, describe_all, list_running, tally
from tasks.evaluation.resuming.validation import find_faults
from tasks.evaluation.storage.checkpoint import LATEST, Checkpoint
from tasks.evaluation.storage.checkpoint_folder import DamagedCheckpoint, survey_checkpoints
from tasks.evaluation.storage.checkpoint_reader import read_checkpoint

DEFAULT_FOLDER = "checkpoints"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `checkpoints`."""
    actions = parser.add_subparsers(required=True, metavar="COMMAND")
    _add(actions, "list", list_checkpoints, "all checkpoints, the newest first")
    show = _add(actions, "show", show_checkpoint, "what one checkpoint holds")
    validate = _add(actions, "validate", validate_checkpoint, "whether a checkpoint is whole, and fits a configuration")
    validate.add_argument(
        "--config", type=read_input_path, metavar="FILE", help="say what a run with these settings would use of it"
    )
    for each in (show, validate):
        each.add_argument(
            "file", type=read_path, metavar="FILE", help="a checkpoint's path, or its name in the directory; .json or .json.gz"
        )
    pruning = _add(actions, "prune", prune_checkpoints, "remove older checkpoints of which newer ones hold as much")
    pruning.add_argument("--keep", metavar="N", type=read_positive, required=True, help="how many of each evaluation stay")
    add_doctor(actions)


def list_checkpoints(options: argparse.Namespace) -> int:
    """Print a table of the directory's checkpoints; return the exit code.

    Raises:
        UserMistake: there is no such directory.
    """
    folder = Path(options.checkpoint_dir)
    found, damaged = _survey(folder)
    overviews = list(describe_all(folder, found))
    if options.json:
        print_json([*(each.to_json() for each in overviews), *map(_damaged_to_json, damaged)])
    elif overviews or damaged:
        print_table(overviews, damaged)
    else:
        print_line(f"No checkpoints in {folder}")
    return EXIT_DONE


def show_checkpoint(options: argparse.Namespace) -> int:
    """Print what the checkpoint records about itself; return the exit code.

    Raises:
        UserMistake: there is no such file, it is not a checkpoint, or it is damaged.
    """
    path = _find_file(options.file, Path(options.checkpoint_dir))
    try:
        checkpoint = _read(path)
        counted = tally(checkpoint)
    except DamagedFile as error:
        raise UserMistake(f"{path} is damaged: {error}") from None
    overview = _describe(checkpoint)
    if options.json:
        print_json(overview.to_json() | counted.to_json())
    else:
        print_pairs(describe_pairs(overview, counted))
    return EXIT_DONE


def validate_checkpoint(options: argparse.Namespace) -> int:
    """Print whether the checkpoint is sound and what a configuration would use of it; return 0 if all is well, else 1.

    Raises:
        UserMistake: there is no such file, it is not a checkpoint, or no run is possible with the configuration.
    """
    path = _find_file(options.file, Path(options.checkpoint_dir))
    try:
        checkpoint = _read(path)
        faults = find_faults(checkpoint)
    except DamagedFile as error:
        faults = [f"it is damaged: {error}"]
    verdict: JsonObject = {"file": str(path), "is_sound": not faults, "faults": list(faults)}
    if faults:
        lines, is_well = [f"{path}: not sound", *(f"  {fault}" for fault in faults)], False
    else:
        lines, is_well = [f"{path}: sound, {checkpoint.completed_count:,} results"], True
        if options.config:
            fit_lines, fit, is_well = _hold_against(checkpoint, options.config)
            lines += fit_lines
            verdict |= {"config": options.config, "fit": fit}
    if options.json:
        print_json(verdict)
    else:
        print_line("\n".join(map(printable, lines)))
    return EXIT_DONE if is_well else EXIT_UNFINISHED


def prune_checkpoints(options: argparse.Namespace) -> int:
    """Remove the superfluous checkpoints and print which; return the exit code.

    Raises:
        UserMistake: there is no such directory.
        StorageFailure: a checkpoint cannot be removed.
    """
    folder = Path(options.checkpoint_dir)
    found, _ = _survey(folder)
    idle, running = split_running(found, list_running(folder))
    removed = prune(folder, idle, options.keep)
    freed_bytes = sum(each.size_bytes for each in removed)
    kept_count = len(found) - len(removed)
    if options.json:
        print_json({
            "removed": [{"file": str(each.path), "size_bytes": each.size_bytes} for each in removed],
            "freed_bytes": freed_bytes,
            "kept_count": kept_count,
            "running_count": len(running),
        })  # fmt: skip
        return EXIT_DONE
    for each in removed:
        print_line(printable(f"Removed {each.path} ({format_size(each.size_bytes)})"))
    print_line(f"Removed: {_count(len(removed))}, which frees {format_size(freed_bytes)}. Kept: {kept_count:,}")
    if running:
        print_line(f"Left alone, because a run is still going: {_count(len(running))}")
    return EXIT_DONE


def _hold_against(checkpoint: Checkpoint, config_file: str) -> tuple[list[str], JsonObject, bool]:
    """Return what a run with this configuration would use of the checkpoint, as lines and as JSON, and True if it fits."""
    from tasks.evaluation.config.loading import find_folder, load_config  # noqa: PLC0415
    from tasks.evaluation.config.overrides import Overrides  # noqa: PLC0415
    from tasks.evaluation.run.fit import measure_fit  # noqa: PLC0415 - imports all that reads a run's questions

    config = load_config(config_file, Overrides(resume_from_checkpoint=str(checkpoint.path)))
    fit = measure_fit(checkpoint, config, find_folder(config_file))
    if fit.misfits:
        return [f"It does not fit {config_file}:", *(f"  {misfit}" for misfit in fit.misfits)], fit.to_json(), False
    lines = [
        f"It fits {config_file}. Of the {fit.selected:,} questions that a run selects:",
        f"  finished by it: {fit.finished:,}",
        f"  its answer reused, to be graded again: {fit.graded_anew:,}",
        f"  to be asked: {fit.to_ask:,}",
    ]
    lines += [f"  of these, refused or failed then: {fit.asked_again:,}"] if fit.asked_again else []
    lines += [f"  entries that cannot be asked: {fit.unusable:,}"] if fit.unusable else []
    return lines, fit.to_json(), True


def _add(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace], int],
    description: str,
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=description, description=description)
    parser.add_argument(
        "--checkpoint-dir", type=read_path, metavar="DIR", default=DEFAULT_FOLDER, help=f"the folder ({DEFAULT_FOLDER})"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)
    return parser


def _survey(folder: Path) -> tuple[list[Checkpoint], list[DamagedCheckpoint]]:
    if not folder.is_dir():
        raise UserMistake(f"there is no directory {folder}; name another with --checkpoint-dir")
    try:
        return survey_checkpoints(folder)
    except OSError as error:
        raise UserMistake(f"cannot read {folder}: {error.strerror or error}") from None


def _find_file(file: str, folder: Path) -> Path:
    """Return the path of the named file: as given, else within the checkpoint directory; for latest.json, the link's target."""
    path = next((path for path in (Path(file), folder / file) if path.is_file()), None)
    if path is None:
        raise UserMistake(f"there is no file {file}, nor {folder / file}")
    return path.parent / path.readlink() if path.name == LATEST and path.is_symlink() else path


def _read(path: Path) -> Checkpoint:
    checkpoint = read_checkpoint(path)
    if checkpoint is None:
        raise UserMistake(
            f"{path} is no checkpoint: it has no completed_indices; `mcqa checkpoints list` shows which files are"
        )
    return checkpoint


def _describe(checkpoint: Checkpoint) -> Overview:
    """Return the checkpoint's facts; while its evaluation runs, the directory's other checkpoints show if it is the newest."""
    folder = checkpoint.path.parent
    among = survey_checkpoints(folder)[0] if checkpoint.evaluation_id in list_running(folder) else [checkpoint]
    return next(each for each in describe_all(folder, among) if each.file == str(checkpoint.path))


def _damaged_to_json(damaged: DamagedCheckpoint) -> JsonObject:
    size_bytes = damaged.path.stat().st_size
    return {"file": str(damaged.path), "state": "damaged", "reason": damaged.reason, "size_bytes": size_bytes}


def _count(number: int) -> str:
    return f"{number:,} checkpoint{'' if number == 1 else 's'}"
