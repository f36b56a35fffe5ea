"""`mcqa compare`: runs held against each other, and the gates that a CI job sets. Prefect is not imported."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from flows.commands.arguments import read_path, read_text
from flows.commands.compare_report import describe_comparison, list_verdicts
from flows.commands.sections import to_markdown, to_terminal
from flows.process.terminal import EXIT_DONE, EXIT_GATE, print_line, printable
from tasks.evaluation.comparing.comparison import Comparison, compare_runs
from tasks.evaluation.comparing.flips import list_flips
from tasks.evaluation.comparing.gate import GateResult, check_accuracy, check_interval, check_not_worse
from tasks.evaluation.comparing.junit import Remark, write_junit
from tasks.evaluation.comparing.names import open_named_runs
from tasks.evaluation.comparing.sentences import reverse
from tasks.evaluation.errors import StorageFailure, UserMistake
from tasks.evaluation.reporting.saved_runs import SavedRun

DESCRIPTION = """\
Say which of several runs is better, or that they cannot be told apart, and what it would take to tell.
RESULTS: a results file or a checkpoint, also one of the original scorer.
"""
# The word that --fail-if-worse takes for the run given first.
FIRST = "FIRST"
SHOWN_FLIPS = 3


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `compare`."""
    parser.description = DESCRIPTION
    add = parser.add_argument
    add("results", nargs="+", metavar="[NAME=]RESULTS", help="the runs; without a name, a run is called by its model")
    add("--group-by", metavar="FIELD", help="differences for each value of this field (the runs' own fields.group_by)")
    add("--cluster-by", metavar="FIELD", help="questions with the same value count as one cluster (the runs' own)")
    add("--confidence", type=_between(0, 1), default=0.95, metavar="C", help="of the intervals and verdicts (0.95)")
    add("--show", type=_count, metavar="N", help="the first N questions that differ, both ways (3 for two runs, else 0)")
    add("--format", choices=("text", "markdown", "json"), default="text", help="of the output (text)")
    add("-o", "--output", type=read_path, metavar="FILE", help="write it to this file; the verdicts are still printed")
    add("--fail-under", type=_share, metavar="X", help="exit with 3 if the last run's accuracy is under X, from 0 to 1")
    add("--fail-under-interval", type=_share, metavar="X", help="the same for the lower end of its interval")
    add(
        "--fail-if-worse",
        type=read_text,
        nargs="?",
        const=FIRST,
        metavar="NAME",
        help="exit with 3 if the last run is worse beyond doubt than the run NAME (FIRST: the one given first)",
    )
    add(
        "--margin",
        type=_points,
        metavar="POINTS",
        help="with --fail-if-worse: exit with 3 unless it is shown to be at most this many points worse",
    )
    add("--junit", type=read_path, metavar="FILE", help="write the gates and verdicts to this file, as CI systems show them")
    parser.set_defaults(run=compare)


def compare(options: argparse.Namespace) -> int:
    """Print the comparison; return 0, or 3 if a gate is not passed.

    Raises:
        UserMistake: a flag is wrong, a file cannot be read, or nothing is common.
        StorageFailure: a file cannot be written.
    """
    _check_flags(options)
    try:
        runs = open_named_runs(options.results)
        comparison = compare_runs(runs, group_by=options.group_by, cluster_by=options.cluster_by, confidence=options.confidence)
        gates = _check_gates(options, comparison)
        _show(options, runs, comparison)
    except UserMistake as error:
        raise UserMistake(printable(str(error))) from None  # it may name what a file from elsewhere holds
    for gate in gates:
        print_line(f"mcqa: {'passed' if gate.is_passed else 'failed'}: {printable(gate.message)}", sys.stderr)
    if options.junit:
        _write(options.junit, _to_junit(comparison, gates))
    return EXIT_DONE if all(gate.is_passed for gate in gates) else EXIT_GATE


def _check_flags(options: argparse.Namespace) -> None:
    is_gated = options.fail_under is not None or options.fail_under_interval is not None
    if options.margin is not None and options.fail_if_worse is None:
        raise UserMistake("--margin says how much worse a run may be: it needs --fail-if-worse")
    if len(options.results) > 1 or (is_gated and options.fail_if_worse is None):
        return
    swallowed = options.fail_if_worse not in (None, FIRST)
    advice = f"; {options.fail_if_worse!r} is taken for the NAME of --fail-if-worse: put that flag last" if swallowed else ""
    raise UserMistake(f"one run alone can only be held against --fail-under and --fail-under-interval; name two{advice}")


def _check_gates(options: argparse.Namespace, comparison: Comparison) -> list[GateResult]:
    """Return what the gates say about the last run.

    Raises:
        UserMistake: the run that it must not be worse than is not among them.
    """
    last = comparison.runs[-1]
    subject = last.name if len(comparison.runs) > 1 else ""
    gates = []
    if options.fail_under is not None:
        gates.append(check_accuracy(last.accuracy, options.fail_under, subject=subject))
    if options.fail_under_interval is not None:
        gates.append(check_interval(last.interval, options.fail_under_interval, subject=subject))
    if options.fail_if_worse is not None:
        reference = _find_reference(options.fail_if_worse, [run.name for run in comparison.runs])
        [pair] = [pair for pair in comparison.pairs if (pair.a, pair.b) == (reference, last.name)]
        names, margin = (last.name, reference), options.margin
        gates.append(check_not_worse(reverse(pair.found), names, margin_points=margin, confidence=comparison.confidence))
    return gates


def _find_reference(name: str, names: list[str]) -> str:
    """Return the name of the run that the last one must not be worse than."""
    if name in names[:-1]:
        return name
    if name == FIRST:
        return names[0]
    if name == names[-1]:
        raise UserMistake(f"--fail-if-worse {name}: that is the last run itself, which is held against the one named")
    raise UserMistake(
        f"--fail-if-worse {name}: no run has this name; they are called {', '.join(map(repr, names))} "
        "(before a file, write --fail-if-worse=FIRST)"
    )


def _show(options: argparse.Namespace, runs: list[SavedRun], comparison: Comparison) -> None:
    """Print the comparison, or write it and print what decides."""
    if options.format == "json":
        text = json.dumps(comparison.to_json(), indent=2)
    else:
        most = options.show if options.show is not None else SHOWN_FLIPS if len(runs) == 2 else 0
        sections = describe_comparison(comparison, list_flips(runs, comparison, most) if most else [])
        text = (to_markdown if options.format == "markdown" else to_terminal)(sections)
    if options.output is None and options.format != "json":
        print_line(text)
        return
    for doubt in comparison.doubts:
        print_line(f"mcqa: warning: {printable(doubt)}", sys.stderr)
    if options.output is None:
        print_line(text)
        return
    _write(options.output, f"{text}\n".encode())
    for verdict in list_verdicts(comparison):
        print_line(printable(verdict))


def _to_junit(comparison: Comparison, gates: list[GateResult]) -> bytes:
    verdicts = zip(comparison.pairs, list_verdicts(comparison), strict=True)
    return write_junit("mcqa compare", gates, [Remark(f"{pair.a} and {pair.b}", verdict) for pair, verdict in verdicts])


def _write(path: str, content: bytes) -> None:
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        raise StorageFailure(f"cannot write {path}: {error.strerror or error}") from error


def _between(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        number = float(text)
        if not low < number < high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low:g} and {high:g}")
        return number

    return read


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 1")
    return number


def _points(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 100 percentage points")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is not 0 or more")
    return number
