"""What a comparison or a run must show to pass, as a script or a CI job demands it. Nothing is read or printed here."""

from dataclasses import dataclass

from tasks.evaluation.comparing.sentences import format_ends, format_p, format_points, reverse
from tasks.evaluation.statistics.intervals import Interval
from tasks.evaluation.statistics.paired import Difference

POINTS = 100


@dataclass(frozen=True)
class GateResult:
    """Whether one demand is met."""

    name: str
    """The demand, as the flag that makes it."""
    is_passed: bool
    """True if it is met."""
    message: str
    """A sentence that says why."""


def check_accuracy(accuracy: float | None, least: float, *, setting: str = "--fail-under", subject: str = "") -> GateResult:
    """Return whether the accuracy is at least what is demanded.

    Args:
        accuracy: the accuracy, from 0 to 1; None if nothing was scored, which fails.
        least: the lowest that passes.
        setting: the flag or setting that demands it.
        subject: the run's name, if there are several.
    """
    return _check_least("Accuracy", accuracy, least, setting=setting, subject=subject)


def check_interval(
    interval: Interval | None, least: float, *, setting: str = "--fail-under-interval", subject: str = ""
) -> GateResult:
    """Return whether the lower end of the accuracy's interval is at least what is demanded.

    Args:
        interval: the interval; None without one, which fails.
        least: the lowest end that passes.
        setting: the flag or setting that demands it.
        subject: the run's name, if there are several.
    """
    low = interval.low if interval else None
    return _check_least("Lower end of the accuracy's interval", low, least, setting=setting, subject=subject)


def check_not_worse(
    found: Difference, names: tuple[str, str], *, margin_points: float | None, confidence: float = 0.95
) -> GateResult:
    """Return whether a run is not worse than another.

    Without a margin it fails if it is worse beyond doubt: its accuracy is lower, and p is below what the confidence leaves to
    1. With a margin it fails unless the interval of the difference lies above minus the margin, as a test of non-inferiority
    demands. It is one comparison, chosen beforehand, so p is not adjusted for others.

    Args:
        found: the difference: the candidate's accuracy - the reference's.
        names: the candidate's and the reference's names.
        margin_points: by how many percentage points the candidate may be worse; None: no margin.
        confidence: that of the difference's interval.
    """
    candidate, reference = names
    name = f"--fail-if-worse {reference}" + ("" if margin_points is None else f" --margin {margin_points:g}")
    observed = _describe(found, confidence=confidence)
    if margin_points is None:
        is_worse = found.p is not None and found.p < 1 - confidence and found.difference < 0
        verdict = "is worse than" if is_worse else "is not worse beyond doubt than"
        return GateResult(name, not is_worse, f"{candidate} {verdict} {reference}: {observed}, {format_p(found.p)}")
    is_shown = found.low is not None and found.low * POINTS >= -margin_points
    verdict, points = "is shown" if is_shown else "is not shown", "point" if margin_points == 1 else "points"
    return GateResult(
        name, is_shown, f"{candidate} {verdict} to be at most {margin_points:g} {points} worse than {reference}: {observed}"
    )


def _check_least(measure: str, value: float | None, least: float, *, setting: str, subject: str) -> GateResult:
    of_run = f" of {subject}" if subject else ""
    if value is None:
        return GateResult(f"{setting} {least:g}", is_passed=False, message=f"{measure}{of_run} is unknown: too few scores")
    is_passed = value >= least
    relation = "is not under" if is_passed else "is under"
    shown, demanded = _format_apart(value, least)
    return GateResult(
        f"{setting} {least:g}", is_passed, f"{measure}{of_run} {shown} {relation} the {demanded} that {setting} demands"
    )


def _format_apart(value: float, least: float) -> tuple[str, str]:
    """Return both numbers with the fewest decimal places, two or more, that show which one is lower."""
    for places in range(2, 17):
        shown = f"{value:.{places}f}", f"{least:.{places}f}"
        if shown[0] != shown[1] or value == least:
            break
    return shown


def _describe(found: Difference, *, confidence: float) -> str:
    direction = "lower" if found.difference < 0 else "higher"
    if not found.difference:
        return f"no difference{format_ends(found, confidence=confidence)}"
    shown = found if found.difference > 0 else reverse(found)
    return f"{format_points(shown.difference)} points {direction}{format_ends(shown, confidence=confidence)}"
