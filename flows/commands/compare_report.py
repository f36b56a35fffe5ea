"""What `mcqa compare` shows: the runs, the verdict on each pair, groups and flips, as sections of a report."""

from collections.abc import Sequence

from flows.commands.sections import Section, Table, shorten, shorten_name
from tasks.evaluation.comparing.comparison import Comparison
from tasks.evaluation.comparing.flips import Flip, Flips
from tasks.evaluation.comparing.pairs import Pair, list_ends
from tasks.evaluation.comparing.run_figures import ComparedRun
from tasks.evaluation.comparing.sentences import count_questions, decide, format_percent, format_points
from tasks.evaluation.spending.costs import UNKNOWN_COST, format_dollars
from tasks.evaluation.statistics.paired import Difference

# Together no wider than 110 characters, but for large numbers.
NAME_CHARACTERS, PAIR_NAME_CHARACTERS, QUESTION_CHARACTERS, ANSWER_CHARACTERS = 24, 18, 48, 16
# The differences of more groups than this would push the rest off the screen; JSON holds all.
MOST_GROUPS = 30


def describe_comparison(comparison: Comparison, flips: Sequence[Flips]) -> list[Section]:
    """Return the report: what is doubtful first, then the runs, the verdicts, the groups and the flips."""
    warnings = [f"Warning: {doubt}" for doubt in comparison.doubts]
    sections = [Section(lines=warnings), _show_runs(comparison)]
    if comparison.pairs:
        sections.append(_show_pairs(comparison))
    if len(comparison.runs) > 2:
        sections.append(_show_leaderboard(comparison))
    sections += [_show_groups(comparison, pair) for pair in comparison.pairs if pair.groups]
    return sections + [_show_flips(each, better) for each in flips for better in (0, 1)]


def list_verdicts(comparison: Comparison) -> list[str]:
    """Return the deciding sentence for each pair."""
    count = len(comparison.pairs)
    return [decide(pair, confidence=comparison.confidence, pair_count=count) for pair in comparison.pairs]


def _show_runs(comparison: Comparison) -> Section:
    columns = {
        "run": [shorten_name(run.name, NAME_CHARACTERS) for run in comparison.runs],
        "model": [shorten_name(run.model, NAME_CHARACTERS) for run in comparison.runs],
        "questions": [shorten_name(run.questions_file.rpartition("/")[2], NAME_CHARACTERS) for run in comparison.runs],
        "scored": [f"{run.scored:,} of {run.selected:,}" for run in comparison.runs],
        "accuracy": ["" if run.accuracy is None else f"{run.accuracy:.4f}" for run in comparison.runs],
        _name_interval(comparison): [
            f"{run.interval.low:.4f} to {run.interval.high:.4f}" if run.interval else "" for run in comparison.runs
        ],
        "chance": ["" if run.chance is None else f"{run.chance:.4f}" for run in comparison.runs],
        "cost": [UNKNOWN_COST if run.cost is None else format_dollars(run.cost) for run in comparison.runs],
    }
    if all(run.cost is None for run in comparison.runs):
        del columns["cost"]
    files = {run.questions_file.rpartition("/")[2] for run in comparison.runs}
    if all(run.name == run.model for run in comparison.runs):
        del columns["model"]
    if len(files) == 1:
        del columns["questions"]
    title = f"Questions of {shorten(files.pop())}:" if len(files) == 1 and files != {""} else ""
    remarks = [remark for run in comparison.runs for remark in _remark(run)]
    rows = list(zip(*columns.values(), strict=True))
    return Section(title, Table(list(columns), rows, frozenset({"run", "model", "questions"})), remarks)


def _remark(run: ComparedRun) -> list[str]:
    """Return what a run's accuracy hides: that it is not above chance, and what its missing questions could do."""
    remarks = []
    if run.chance is not None and run.is_above_chance is False:
        remarks.append(f"{run.name} is not above chance ({run.chance:.2f})")
    if run.missing_count and run.bounds:
        counts = {"refused": run.refused, "that cannot be asked": run.unusable, "not scored yet": run.unscored}
        missing = ", ".join(f"{count:,} {reason}" for reason, count in counts.items() if count)
        low, high = run.bounds
        remarks.append(f"{run.name}: {missing}; accuracy {low:.4f} if all of these were wrong, {high:.4f} if right")
    return remarks


def _show_pairs(comparison: Comparison) -> Section:
    is_adjusted = len(comparison.pairs) > 1
    headings = ["a", "b", "both right", "only a", "only b", "neither", "a - b, points", _name_interval(comparison), "p"]
    headings += ["p, adjusted"] if is_adjusted else []
    rows = [
        [
            shorten_name(pair.a, PAIR_NAME_CHARACTERS),
            shorten_name(pair.b, PAIR_NAME_CHARACTERS),
            *(f"{count:,}" for count in (pair.both_right, pair.only_a, pair.only_b, pair.neither)),
            *_show_difference(pair.found),
            *([_show_p(pair.p_adjusted)] if is_adjusted else []),
        ]
        for pair in comparison.pairs
    ]
    lines = ["", *list_verdicts(comparison), *(bound for pair in comparison.pairs for bound in _show_bounds(comparison, pair))]
    scored_by = "both" if len(comparison.runs) == 2 else f"all {len(comparison.runs)}"
    clusters = f", in clusters by {comparison.cluster_by}" if comparison.cluster_by else ""
    title = f"On the {count_questions(comparison.common)} that {scored_by} have scored{clusters}:"
    return Section(title, Table(headings, rows, frozenset({"a", "b"})), lines)


def _show_bounds(comparison: Comparison, pair: Pair) -> list[str]:
    """Return the line for what the missing questions could do to the difference; none where nothing is missing."""
    is_missing = any(run.missing_count for run in comparison.runs if run.name in (pair.a, pair.b))
    if not is_missing or pair.difference_bounds is None:
        return []
    low, high = (format_points(end) for end in pair.difference_bounds)
    return [f"{pair.a} - {pair.b} over all questions, with those missing counted as wrong or as right: {low} to {high} points"]


def _show_leaderboard(comparison: Comparison) -> Section:
    means = {run.name: scores.mean() for run, scores in zip(comparison.runs, comparison.shared.scores, strict=True)}
    heading = "runs that cannot be told apart, with their accuracy on these questions"
    rows = [
        [str(place), ", ".join(f"{shorten_name(name, NAME_CHARACTERS)} ({means[name]:.4f})" for name in names)]
        for place, names in enumerate(comparison.leaderboard, start=1)
    ]
    return Section(table=Table(["group", heading], rows, frozenset({heading})))


def _show_groups(comparison: Comparison, pair: Pair) -> Section:
    field = comparison.group_by or ""
    headings = [field, "questions", "a - b, points", _name_interval(comparison), "p", "p, adjusted"]
    rows = [
        [
            shorten(group.group or "without a value", NAME_CHARACTERS),
            f"{group.n:,}",
            *_show_difference(group.found),
            _show_p(group.p_adjusted),
        ]
        for group in pair.groups[:MOST_GROUPS]
    ]
    more = len(pair.groups) - MOST_GROUPS
    lines = [f"and {more:,} more groups with smaller differences"] if more > 0 else []
    title = f"By {field}, a: {pair.a}, b: {pair.b}, p adjusted for {len(pair.groups)} groups:"
    return Section(title, Table(headings, rows, frozenset({field})), lines)


def _show_flips(flips: Flips, better: int) -> Section:
    """Return the first questions that one of the runs, the first or the second, answers better than the other."""
    shown = (flips.better_a, flips.better_b)[better]
    if not shown:
        return Section()
    name, other = (flips.a, flips.b) if better == 0 else (flips.b, flips.a)
    is_more = len(shown) < flips.counts[better]
    first = f"; the first{f' {len(shown)}' if len(shown) > 1 else ''}" if is_more else ""
    title = f"{name} is better than {other} on {count_questions(flips.counts[better])}{first}:"
    headings = ["number", "question", "right", "a", "b"]
    return Section(title, Table(headings, [_show_flip(flip) for flip in shown], frozenset(headings[1:])))


def _show_flip(flip: Flip) -> list[str]:
    answers = [shorten(answer, ANSWER_CHARACTERS) or "no choice" for answer in flip.answers]
    return [
        str(flip.question_id),
        shorten(flip.question, QUESTION_CHARACTERS),
        shorten(flip.reference, ANSWER_CHARACTERS),
        *answers,
    ]


def _show_difference(found: Difference) -> list[str]:
    ends = list_ends(found)
    interval = f"{format_points(ends[0])} to {format_points(ends[1])}" if ends else ""
    return [format_points(found.difference), interval, _show_p(found.p)]


def _show_p(p: float | None) -> str:
    if p is None:
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def _name_interval(comparison: Comparison) -> str:
    return f"{format_percent(comparison.confidence)} interval"
