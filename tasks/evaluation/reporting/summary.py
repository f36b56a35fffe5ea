"""The statistics of what a run has scored, and the lines that show them in the terminal."""

import numpy as np

from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.statistics.accuracy import Accuracy, measure_scores
from tasks.evaluation.statistics.letters import Letters
from tasks.evaluation.statistics.repeat_summary import PlaceAccuracy, RepeatSummary, RepeatTable
from tasks.evaluation.statistics.retrieval_summary import RetrievalSummary
from tasks.evaluation.statistics.summary import ScoreTable, Statistics, summarize

# More lines than this would push the rest off the screen.
SHOWN_GROUPS = 100
SHOWN_LETTERS = 10


def compute_statistics(ledger: Ledger, first: int | None = None) -> Statistics:
    """Return the statistics of the `first` results in the order of completion; of all results if it is None."""
    count = len(ledger.results) if first is None else first
    positions = np.array(ledger.results.positions(0, count), dtype=np.int64)
    names, sheet = ledger.questions.group_names, ledger.sheet
    table = ScoreTable(
        scores=sheet.scores[positions],
        formats=np.array(ledger.roster.formats)[positions],
        no_choice=sheet.no_choice[positions],
        clarified=sheet.clarified[positions],
        truncated=sheet.truncated[positions],
        f1=sheet.f1.pick(positions),
        groups=ledger.questions.groups_of(positions) if names else np.broadcast_to(np.int64(0), positions.shape),
        group_names=names,
        clusters=ledger.questions.clusters_of(positions),
        right=sheet.key.right[positions].astype(np.int64),
        chosen=sheet.chosen[positions].astype(np.int64),
        labels=sheet.key.labels,
        choice_counts=sheet.key.choice_counts[positions].astype(np.int64),
        brier=sheet.brier.pick(positions),
        confidences=sheet.confidences.pick(positions),
        retrieval=sheet.retrieval.pick(positions),
        repeats=RepeatTable(
            sheet.repeat_scores[positions].astype(np.float64),
            sheet.repeat_choices[positions].astype(np.int64),
            sheet.right_places[positions].astype(np.int64),
        ),
    )
    return summarize(table, selected=len(ledger.questions), unusable=min(len(ledger.roster.errors), count))


def compute_accuracy(ledger: Ledger) -> Accuracy | None:
    """Return the accuracy over all scored questions, as `compute_statistics` does; None if nothing was scored."""
    positions = np.array(ledger.results.positions(0, len(ledger.results)), dtype=np.int64)
    positions = positions[np.isfinite(ledger.sheet.scores[positions])]
    return measure_scores(ledger.sheet.scores[positions], ledger.questions.clusters_of(positions))


def describe_statistics(statistics: Statistics) -> list[str]:
    """Return the statistics as lines for the terminal: the accuracy first, then what stands out."""
    overall = statistics.overall
    return [
        f"📊 Accuracy: {overall}" if overall else "📊 Accuracy: none, no question was scored",
        *_describe_parts(statistics),
        *(f"   {remark}" for remark in describe_remarks(statistics)),
    ]


def describe_remarks(statistics: Statistics) -> list[str]:
    """Return a line for each number that says how far the accuracy can be trusted, and for each count that is not zero."""
    counted = {
        f"Asked which choice was meant: {{:,}} ({statistics.clarified_named:,} named one)": statistics.clarified,
        "Chose nothing, counted as wrong: {:,}": statistics.no_choice,
        "Truncated answers, scored as received: {:,} (raise max_tokens)": statistics.truncated,
        "Refused by the endpoint, not counted: {:,} (ask again with --retry-refused)": statistics.refused,
        "Entries that cannot be asked, not counted: {:,}": statistics.unusable,
        "Not scored yet: {:,}": statistics.unscored,
    }
    return [*_describe_measures(statistics), *(text.format(count) for text, count in counted.items() if count)]


def _describe_parts(statistics: Statistics) -> list[str]:
    """Return a line for each format, if there are several, and for each group, if they fit on a screen."""
    by_format, by_group = statistics.by_format, statistics.by_group
    lines = [f"   {name}: {accuracy}" for name, accuracy in by_format.items()] if len(by_format) > 1 else []
    if len(by_group) > SHOWN_GROUPS:
        return [*lines, f"   By field: {len(by_group):,} values, in the results' metadata"]
    return lines + [f"   {name or 'without a value'}: {accuracy}" for name, accuracy in by_group.items()]


def _describe_measures(statistics: Statistics) -> list[str]:
    missing = statistics.refused + statistics.unusable + statistics.unscored
    lines = []
    if statistics.chance is not None:
        is_above = "above chance" if statistics.is_above_chance else "not above chance"
        lines.append(f"The accuracy is {is_above} ({statistics.chance:.4g})")
    if statistics.bounds and statistics.overall and missing:
        low, high = statistics.bounds
        lines.append(
            f"With the {missing:,} questions without a score: {low:.4f} if all were wrong, {high:.4f} if all were right"
        )
    if statistics.f1 is not None:
        lines.append(f"Token F1 of the short answers: {statistics.f1:.4f}")
    if statistics.letters:
        lines.append(_describe_letters(statistics.letters))
    if statistics.calibration:
        measured = statistics.calibration
        lines.append(f"Brier score {measured.brier:.4f}, expected calibration error {measured.expected_calibration_error:.4f}")
    lines += _describe_retrieval(statistics.retrieval) if statistics.retrieval else []
    return lines + (_describe_repeats(statistics.repeats) if statistics.repeats else [])


def _describe_letters(letters: Letters) -> str:
    """Return how often each letter was chosen, and how often it was right."""
    shown = ", ".join(f"{row.letter} {row.chosen:,} ({row.right:,})" for row in letters.rows[:SHOWN_LETTERS])
    bias = "" if letters.recall_std is None else f"; recall by letter deviates by {letters.recall_std:.4f}"
    return f"Chosen by letter, and how often right: {shown}{bias}"


def _describe_retrieval(retrieval: RetrievalSummary) -> list[str]:
    """Return how often the right chunk was found, the accuracy with and without it, and what was not put before questions."""
    recall = retrieval.recall
    score = "" if retrieval.score is None else f", with a best score of {retrieval.score:.4f} on average"
    lines = [f"Retrieved for {retrieval.count:,} questions{score}"]
    if recall.hit_rate is None:
        lines[0] += "; no record names the chunk that it was made from"
    else:
        at = ", ".join(f"{k}: {share:.4f}" for k, share in enumerate(recall.at, start=1))
        lines.append(f"Hit rate {recall.hit_rate:.4f} ({recall.found:,} of {recall.with_source:,}); recall at {at}")
    parts = {"with the right chunk": retrieval.where_found, "without it": retrieval.where_not}
    lines += [f"Accuracy {name}: {accuracy}" for name, accuracy in parts.items() if accuracy]
    if retrieval.without_any:
        lines.append(f"Asked without any chunk, since none reaches the threshold: {retrieval.without_any:,}")
    if retrieval.dropped:
        lines.append(f"Chunks left out, since the context was too long: {retrieval.dropped:,}")
    return lines


def _describe_place(row: PlaceAccuracy) -> str:
    ends = f" ({row.interval.low:.4f} to {row.interval.high:.4f})" if row.interval else ""
    return f"{row.position}: {row.accuracy:.4f}{ends}"


def _describe_repeats(repeats: RepeatSummary) -> list[str]:
    tries = ", ".join(f"pass@{k} {value:.4f}" for k, value in repeats.pass_at.items())
    shown = f"{tries + ', ' if tries else ''}majority {repeats.majority:.4f}"
    lines = [f"Asked {repeats.count} times each: {shown}; {repeats.changing:.1%} of the questions change their score"]
    if repeats.by_position:
        places = ", ".join(map(_describe_place, repeats.by_position))
        lines.append(f"By the place at which the right choice was shown: {places}")
    return lines
