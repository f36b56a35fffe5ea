"""The table of what retrieval has found in each run, and how the questions were answered with and without the right chunk."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.evaluation.pages.wording import NOTHING, format_count, format_ends, format_share
from tasks.evaluation.statistics.accuracy import Accuracy
from tasks.evaluation.statistics.retrieval_summary import RetrievalSummary
from tasks.evaluation.statistics.summary import Statistics


@dataclass(frozen=True)
class RetrievalRow:
    """A run's retrieval, in words."""

    run: int
    """The run's place."""
    count: str
    """For how many questions it searched."""
    hit_rate: str
    """How often it found the chunk that a question was made from."""
    first: str
    """How often that was the best one."""
    found: str
    """The accuracy where it was found, with its interval."""
    missed: str
    """The accuracy where it was not."""
    score: str
    """The best chunk's score, on average."""
    dropped: str
    """The number of chunks that were left out because a context was too long."""


def build_retrieval_table(statistics: Sequence[Statistics]) -> list[RetrievalRow]:
    """Return a row for each run that retrieves."""
    return [_describe(run, each.retrieval) for run, each in enumerate(statistics) if each.retrieval]


def _describe(run: int, found: RetrievalSummary) -> RetrievalRow:
    recall = found.recall
    return RetrievalRow(
        run=run,
        count=format_count(found.count),
        hit_rate=NOTHING if recall.hit_rate is None else format_share(recall.hit_rate),
        first=format_share(recall.at[0]) if recall.at else NOTHING,
        found=_describe_accuracy(found.where_found),
        missed=_describe_accuracy(found.where_not),
        score=NOTHING if found.score is None else f"{found.score:.3f}",
        dropped=format_count(found.dropped),
    )


def _describe_accuracy(accuracy: Accuracy | None) -> str:
    if accuracy is None:
        return NOTHING
    ends = f" ({format_ends((accuracy.interval.low, accuracy.interval.high))})" if accuracy.interval else ""
    return f"{format_share(accuracy.accuracy)}{ends}"
