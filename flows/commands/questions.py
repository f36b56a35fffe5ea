"""`mcqa questions`: what a file holds and what is wrong with it, before a run pays for it. Prefect is not imported."""

import argparse
from collections.abc import Mapping

from flows.commands.arguments import read_input_path
from flows.process.terminal import EXIT_DONE, EXIT_MISTAKE, EXIT_UNFINISHED, print_json, print_line, print_pairs, printable
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.questions.survey import Survey, survey_questions

SHOWN_KINDS = 8


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand of `questions`."""
    actions = parser.add_subparsers(required=True, metavar="COMMAND")
    description = "what a file of questions holds, and what is wrong with it"
    check = actions.add_parser("check", help=description, description=description)
    check.add_argument(
        "file", type=read_input_path, metavar="FILE", help="the questions: JSON, JSON Lines, CSV or Parquet, plain or .gz"
    )
    check.add_argument("--config", type=read_input_path, metavar="FILE", help="read them as a run with these settings does")
    check.add_argument("--json", action="store_true", help="print JSON")
    check.set_defaults(run=check_questions)


def check_questions(options: argparse.Namespace) -> int:
    """Print what the file holds and what is wrong with it; return 0 if every entry can be asked, 2 if none can, else 1.

    Raises:
        UserMistake: the file cannot be read to its end, or the configuration cannot be used.
    """
    config = load_config(options.config, Overrides(questions_file=options.file)) if options.config else None
    survey = survey_questions(options.file, config)
    if options.json:
        print_json(survey.to_json())
    else:
        print_pairs(describe_contents(survey))
        for line in describe_findings(survey):
            print_line(printable(line))
    if not survey.contents.asked:
        return EXIT_MISTAKE
    return EXIT_DONE if survey.is_sound else EXIT_UNFINISHED


def describe_contents(survey: Survey) -> list[tuple[str, str]]:
    """Return what the file holds, each fact with its name; what it does not have is left out."""
    contents, (shortest, median, longest) = survey.contents, survey.contents.lengths
    choices = {f"{number} choices": count for number, count in sorted(contents.choice_counts.items())}
    pairs = [
        ("File", survey.file.path),
        ("Format", survey.file.format),
        ("Entries", f"{survey.count:,}"),
        ("Can be asked", f"{contents.asked:,}"),
        ("Multiple choice", _count(contents.choice_counts.total(), choices)),
        ("Right choices", _list(dict(sorted(contents.right_labels.items(), key=lambda pair: (len(pair[0]), pair[0]))))),
        ("Short answers", _count(contents.short_answers, {"with further accepted answers": contents.with_aliases})),
        ("Question length", f"{shortest:,} to {longest:,} characters, median {median:,}" if contents.asked else ""),
        ("With context", f"{contents.with_context:,}" if contents.with_context else ""),
        ("Carried fields", _list(contents.metadata)),
    ]
    return [(name, value) for name, value in pairs if value]


def describe_findings(survey: Survey) -> list[str]:
    """Return lines that say what is wrong, first what keeps entries from being asked."""
    lines = []
    for stops, title in ((True, "Cannot be asked:"), (False, "Asked, and worth a look:")):
        found = [finding.describe(survey.file.unit) for finding in survey.findings if finding.stops == stops]
        lines += ["", title, *(f"  {each}" for each in found)] if found else []
    lines += ["", "Worth knowing:", *(f"  {note}" for note in survey.notes)] if survey.notes else []
    return lines or ["", "Nothing is wrong with it"]


def _count(total: int, parts: Mapping[str, int]) -> str:
    listed = _list({name: count for name, count in parts.items() if count})
    return (f"{total:,}" + (f": {listed}" if listed else "")) if total else ""


def _list(counts: Mapping[str, int]) -> str:
    shown = [f"{name} ({count:,})" for name, count in list(counts.items())[:SHOWN_KINDS]]
    return ", ".join(shown) + (", …" if len(counts) > SHOWN_KINDS else "")
