"""The report of a run in Markdown: the verdict, what was run, the tables, and the first wrong answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.reporting.markdown import escape, shorten, write_list, write_literally, write_table
from tasks.evaluation.reporting.summary import compute_statistics, describe_remarks
from tasks.evaluation.run.gates import check_gates
from tasks.evaluation.run.run import Run
from tasks.evaluation.run.run_facts import list_facts, list_own_prompts

# The results hold every answer, and the run's log every line.
WRONG_ANSWERS, MOST_CHARACTERS, MOST_LINES = 10, 2_000, 200
# Saves are noted in the log: people who read how a run went need not see each.
SAVE_SIGN = "💾"

Tables = Mapping[str, Sequence[Mapping[str, str]]]


@dataclass(frozen=True)
class Told:
    """What is known of a run beside its own records."""

    remarks: Sequence[str] = ()
    """What must be said first, such as that nothing was asked."""
    changes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """The settings that are not from the configuration file, under what is to be said of them."""
    words: Callable[[str], str] = str
    """Puts a message into the words of the place where it is read."""


def write_markdown(run: Run, tables: Tables, files: str, told: Told) -> str:
    """Return the report.

    Args:
        run: the run, at its end.
        tables: the tables by their titles; an empty one is left out.
        files: where the files are, in Markdown; empty if none was written.
        told: what else is known of the run.
    """
    facts = [{"": name, "What was run": text} for name, text in list_facts(run, told.changes).items()]
    parts = [
        f"# {escape(Path(run.config.questions_file).name)}, {escape(str(run.endpoints[0].request['model']))}",
        _write_verdict(run, told),
        write_table(facts),
        *(f"**{name}**\n\n{write_literally(text)}" for name, text in list_own_prompts(run.config.prompt).items()),
        *(f"## {title}\n\n{write_table(rows)}" for title, rows in tables.items() if rows),
        *_write_wrong_answers(run),
        *([f"## Files\n\n{files}"] if files else []),
        *_write_lines([told.words(line) for line in run.progress.lines]),
    ]
    return "\n\n".join(parts) + "\n"


def _write_verdict(run: Run, told: Told) -> str:
    """Return what decides: the accuracy, how it stands beside earlier runs, and how far it can be trusted."""
    statistics = compute_statistics(run.ledger)
    accuracy = f"**Accuracy {statistics.overall}**" if statistics.overall else "**No question was scored**"
    standing = run.standing.sentences if run.standing else []
    gates = [gate.message for gate in check_gates(run)]
    sentences = [*told.remarks, *gates, *standing, *describe_remarks(statistics)]
    return f"{accuracy}\n\n{write_list(map(told.words, sentences))}".strip()


def _write_wrong_answers(run: Run) -> list[str]:
    """Return a section with the first questions scored below 1; no section without such questions."""
    ledger = run.ledger
    positions = [each for each in np.flatnonzero(ledger.sheet.scores < 1).tolist() if each in ledger.results]
    if not positions:
        return []
    shown = [_write_wrong_answer(ledger.read_result(position)) for position in positions[:WRONG_ANSWERS]]
    return [f"## The first wrong answers, of {len(positions):,}", *shown]


def _write_wrong_answer(record: JsonObject) -> str:
    """Return the question with its choices, and below it what was expected, answered and said of it."""
    evaluation = record.get("evaluation")
    graded = evaluation if isinstance(evaluation, dict) else {}
    facts = {
        "Right": record.get("reference_answer"),
        "Chosen": graded.get("model_choice") if graded.get("format") == "mc" else None,
        "Answer": record.get("model_answer"),
        "Grade": graded.get("reasoning"),
    }
    texts = [str(record.get("question") or ""), *(f"{name}: {value}" for name, value in facts.items() if value)]
    whole = "\n\n".join(shorten(text, MOST_CHARACTERS) for text in texts)
    return f"**Question {record['question_id']}**, score {record['score']:g}\n\n{write_literally(whole)}"


def _write_lines(lines: Sequence[str]) -> list[str]:
    """Return a section with the first lines that the run has logged; no section without lines."""
    shown = [line for line in lines if not line.startswith(SAVE_SIGN)]
    more = [f"… {len(shown) - MOST_LINES:,} more lines, in the run's log"] if len(shown) > MOST_LINES else []
    text = "\n".join(shown[:MOST_LINES] + more)
    return [f"## What the run said\n\n{write_literally(text)}"] if shown else []
