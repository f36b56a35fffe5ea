"""`mcqa checkpoints doctor`: whether a folder's file system can do what a run relies on."""

import argparse
from pathlib import Path

from flows.commands.arguments import read_path, read_positive
from flows.process.terminal import EXIT_DONE, EXIT_UNFINISHED, print_json, print_line, printable
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.storage.folder_checks import Finding, examine, hold_lock

DESCRIPTION = "try out whether a folder's file system can do what a run relies on: fsync, rename, links, locks, clocks"


def add_doctor(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand with its flags."""
    parser = actions.add_parser("doctor", help=DESCRIPTION, description=DESCRIPTION)
    parser.add_argument(
        "folder", nargs="?", type=read_path, metavar="DIR", default="checkpoints", help="the folder (checkpoints)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--hold",
        type=read_positive,
        metavar="SECONDS",
        help="hold a lock there for that time, so that the same command on another machine shows whether it sees it",
    )
    parser.set_defaults(run=examine_folder)


def examine_folder(options: argparse.Namespace) -> int:
    """Print what each trial has shown; return 0 if all is well, else 1.

    Raises:
        UserMistake: there is no such directory.
        StorageFailure: with `--hold`, the lock cannot be had.
    """
    folder = Path(options.folder)
    if folder.is_file():
        raise UserMistake(f"{folder} is a file; name a directory")
    if not folder.is_dir():
        raise UserMistake(f"there is no directory {folder}; make it first (mkdir -p {folder}), or name another")
    if options.hold:
        print_line(f"Holding a lock for {options.hold} s; on another machine, call: mcqa checkpoints doctor {folder.resolve()}")
        hold_lock(folder, options.hold)
        return EXIT_DONE
    findings = []
    for finding in examine(folder):
        findings.append(finding)
        if not options.json:
            _print_finding(finding)
    if options.json:
        print_json(list(map(_to_json, findings)))
    return EXIT_DONE if all(each.is_well for each in findings) else EXIT_UNFINISHED


def _to_json(finding: Finding) -> JsonObject:
    return {"name": finding.name, "is_well": finding.is_well, "detail": finding.detail, "meaning": finding.meaning}


def _print_finding(finding: Finding) -> None:
    mark = "ok" if finding.is_well else "NO"
    print_line(printable(f"{mark}  {finding.name:17}  {finding.detail}"))
    if finding.meaning:
        print_line(printable(f"    {finding.meaning}"))
