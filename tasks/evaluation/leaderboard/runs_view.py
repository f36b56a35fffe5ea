"""What a board's cells were, as the page shows it: what is the same for all, what differs, and why scores are missing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasks.evaluation.pages.facts import Fact, Missing, describe_missing, list_differences, list_facts, list_prompts
from tasks.evaluation.pages.gathering import Findings
from tasks.evaluation.pages.run_sheets import NO_CHOICE, TRUNCATED, RunSheet
from tasks.evaluation.pages.wording import NOTHING, format_count, format_share
from tasks.evaluation.reporting.saved_runs import SavedRun, read_setting

# What the board itself tells.
TOLD = ("Cost",)


@dataclass(frozen=True)
class RunsView:
    """The cells with results."""

    same: tuple[tuple[str, str], ...]
    """What is the same for all, by its name."""
    headings: tuple[str, ...]
    """What differs."""
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    """Each cell's name, and its values of what differs."""
    prompts: tuple[tuple[str, str, str], ...]
    """The words in which questions were asked: the kind, the cells, the text."""
    missing: tuple[tuple[str, Missing], ...]
    """The cells that lack scores, and why."""


def view_runs(findings: Findings) -> RunsView:
    """Return what the runs of a board were.

    Args:
        findings: the runs, with figures and sheets; nothing else of it is read.
    """
    names = [run.name for run in findings.runs]
    facts = [fact for fact in (*list_facts(findings), *list_differences(findings.runs)) if fact.name not in TOLD]
    differing = [*(fact for fact in facts if not fact.is_same), *_count_answers(findings)]
    lacks = map(describe_missing, findings.figures, findings.sheets)
    return RunsView(
        same=tuple((fact.name, fact.values[0]) for fact in facts if fact.is_same),
        headings=tuple(fact.name for fact in differing),
        rows=tuple((name, tuple(fact.values[run] or NOTHING for fact in differing)) for run, name in enumerate(names)),
        prompts=tuple(part for fact in list_prompts(findings) for part in _split_prompt(fact, names)),
        missing=tuple((name, lack) for name, lack in zip(names, lacks, strict=True) if lack),
    )


def _count_answers(findings: Findings) -> Iterator[Fact]:
    """Yield what the cells' answers were like, as far as any has something to tell."""
    found = tuple(map(_read_hit_rate, findings.runs))
    if any(found):
        yield Fact("Right chunk found", found)
    for name, mark in (("No choice", NO_CHOICE), ("Truncated", TRUNCATED)):
        counts = tuple(_count_marks(sheet, mark) for sheet in findings.sheets)
        if any(counts):
            yield Fact(name, tuple(map(format_count, counts)))


def _read_hit_rate(run: SavedRun) -> str:
    rate = read_setting(run.metadata, "statistics", "retrieval", "hit_rate")
    return format_share(rate) if isinstance(rate, float) else ""


def _count_marks(sheet: RunSheet, mark: int) -> int:
    return int(((sheet.marks & mark) > 0).sum())


def _split_prompt(fact: Fact, names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield each text of a prompt once, with the cells that were asked with it."""
    for text in dict.fromkeys(fact.values):
        cells = [name for name, value in zip(names, fact.values, strict=True) if value == text]
        yield fact.name, "all cells" if len(cells) == len(names) else ", ".join(cells), text or "none"
