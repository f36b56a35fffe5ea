"""The statistics of what a run has scored, and the lines that show them in the terminal."""

import numpy as np

from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.statistics.summary import ScoreTable, Statistics, summarize

# More lines than this would push the rest off the screen.
SHOWN_GROUPS = 100


def compute_statistics(ledger: Ledger, first: int | None = None) -> Statistics:
    """Return the statistics of the `first` results in the order of completion; of all results if it is None."""
    count = len(ledger.results) if first is None else first
    positions = np.array(ledger.results.positions(0, count), dtype=np.int64)
    names = ledger.questions.group_names
    table = ScoreTable(
        scores=ledger.scores[positions],
        formats=np.array(ledger.roster.formats)[positions],
        no_choice=ledger.no_choice[positions],
        clarified=ledger.clarified[positions],
        truncated=ledger.truncated[positions],
        f1=ledger.f1[positions],
        groups=ledger.questions.groups_of(positions) if names else np.zeros_like(positions),
        group_names=names,
    )
    return summarize(table, selected=len(ledger.questions), unusable=min(len(ledger.roster.errors), count))


def describe_statistics(statistics: Statistics) -> list[str]:
    """Return the statistics as lines for the terminal: the accuracy first, then what stands out."""
    overall = statistics.overall
    return [
        f"📊 Accuracy: {overall}" if overall else "📊 Accuracy: none, no question was scored",
        *_describe_parts(statistics),
        *(f"   {remark}" for remark in describe_remarks(statistics)),
    ]


def describe_remarks(statistics: Statistics) -> list[str]:
    """Return a line for the token F1, if there is one, and for each count that is not zero."""
    counted = {
        f"Asked which choice was meant: {{:,}} ({statistics.clarified_named:,} named one)": statistics.clarified,
        "Chose nothing, counted as wrong: {:,}": statistics.no_choice,
        "Truncated answers, scored as received: {:,} (raise max_tokens)": statistics.truncated,
        "Refused by the endpoint, not counted: {:,} (ask again with --retry-refused)": statistics.refused,
        "Entries that cannot be asked, not counted: {:,}": statistics.unusable,
        "Not scored yet: {:,}": statistics.unscored,
    }
    f1 = [] if statistics.f1 is None else [f"Token F1 of the short answers: {statistics.f1:.4f}"]
    return f1 + [text.format(count) for text, count in counted.items() if count]


def _describe_parts(statistics: Statistics) -> list[str]:
    """Return a line for each format, if there are several, and for each group, if they fit on a screen."""
    by_format, by_group = statistics.by_format, statistics.by_group
    lines = [f"   {name}: {accuracy}" for name, accuracy in by_format.items()] if len(by_format) > 1 else []
    if len(by_group) > SHOWN_GROUPS:
        return [*lines, f"   By field: {len(by_group):,} values, in the results' metadata"]
    return lines + [f"   {name or 'without a value'}: {accuracy}" for name, accuracy in by_group.items()]
