"""How often an alarm is false, and how soon a drop is found: `python -m tests.benchmarks.bench_drift`.

Months of 30 nights are simulated, 2,000 each from a fixed seed, of 500 questions that the model knows, does not know, or
answers differently from night to night: the probability of a right answer follows a beta distribution with mean 0.7 in which
most questions lie near 0 or 1. Two nights of the same model then differ by a standard deviation of 1.4 points. In months with a
drop, every probability is lower by the same factor from the eleventh night on. It takes half a minute.
"""

from dataclasses import dataclass

import numpy as np

from tasks.evaluation.config.history_settings import History
from tasks.evaluation.history.against import FALSE_ALARMS
from tasks.evaluation.statistics.arrays import Floats
from tasks.evaluation.statistics.paired import compare_scores

QUESTIONS, NIGHTS, MONTHS, SEED = 500, 30, 2_000, 20
ACCURACY, CONCENTRATION = 0.7, 0.3
# The night of the drop, counted from 0.
DROP_NIGHT = 10
SETTINGS = History()


@dataclass(frozen=True)
class Rule:
    """When a night raises an alarm."""

    name: str
    """What it is called in the table."""
    points: float | None
    """How many points below the night before; None: below the baseline, by test."""


RULES = (Rule("1 point below yesterday", 1.0), Rule("2 points below yesterday", 2.0), Rule("below the baseline", None))


def draw_month(random: np.random.Generator, drop: float) -> Floats:
    """Return the scores of a month, a row a night."""
    easiness = random.beta(ACCURACY * CONCENTRATION, (1 - ACCURACY) * CONCENTRATION, QUESTIONS)
    nights = np.repeat(easiness[None], NIGHTS, axis=0)
    nights[DROP_NIGHT:] *= 1 - drop / easiness.mean()
    return np.asarray(random.random(nights.shape) < nights, dtype=np.float64)


def list_alarms(month: Floats, rule: Rule) -> list[int]:
    """Return the nights that raise an alarm."""
    if rule.points is not None:
        falls = -np.diff(month.mean(axis=1))
        return [int(night) + 1 for night in np.flatnonzero(falls >= rule.points / 100 - 1e-9)]
    baseline = month[: SETTINGS.baseline_runs].mean(axis=0)
    found = {night: compare_scores(month[night], baseline) for night in range(SETTINGS.baseline_runs, NIGHTS)}
    level = FALSE_ALARMS / SETTINGS.alarm_runs
    return [night for night, each in found.items() if each.difference < 0 and each.p is not None and each.p < level]


def count_false(rule: Rule) -> float:
    """Return the share of months without a drop that have an alarm."""
    random = np.random.default_rng(SEED)
    return sum(bool(list_alarms(draw_month(random, 0), rule)) for _ in range(MONTHS)) / MONTHS


def count_found(rule: Rule, drop: float) -> list[float]:
    """Return the shares of drops that are found in the first night, and within three, five and ten of them."""
    random = np.random.default_rng(SEED)
    counts = np.zeros(4)
    for _ in range(MONTHS):
        first = next(
            (night - DROP_NIGHT for night in list_alarms(draw_month(random, drop), rule) if night >= DROP_NIGHT), NIGHTS
        )
        counts += [first < nights for nights in (1, 3, 5, 10)]
    return [float(count) / MONTHS for count in counts]


def main() -> None:
    """Print the table."""
    print(f"{'alarm':<26}{'false, a month':>16}{'drop':>6}{'first night':>13}{'3 nights':>10}{'5 nights':>10}{'10 nights':>11}")
    for rule in RULES:
        false = f"{count_false(rule):.1%}"
        for drop in (0.02, 0.04, 0.06):
            first, three, five, ten = count_found(rule, drop)
            print(f"{rule.name:<26}{false:>16}{drop:>6.0%}{first:>13.1%}{three:>10.1%}{five:>10.1%}{ten:>11.1%}", flush=True)


if __name__ == "__main__":
    main()
