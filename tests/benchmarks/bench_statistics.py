"""How often the intervals hold the truth, and how often a difference is found: `python -m tests.benchmarks.bench_statistics`.

Scores of 0 and 1 are computed exactly, by the probability of every table that could be observed; grades and clusters are drawn,
20,000 samples each, from a fixed seed. It takes half a minute.
"""

import math
from collections.abc import Iterator

import numpy as np
from scipy import stats

from tasks.evaluation.statistics.arrays import Codes, Floats
from tasks.evaluation.statistics.intervals import measure_interval
from tasks.evaluation.statistics.paired import compare_counts, compare_scores
from tasks.evaluation.statistics.power import Spread, count_questions_needed

SIZES = (20, 100, 1000)
ACCURACIES = (0.5, 0.95)
SAMPLES = 20_000
SEED = 20
# Tables less likely than this add nothing that is printed.
UNLIKELY = 1e-9


def cover_wilson(n: int, accuracy: float) -> float:
    """Return the exact probability that Wilson's interval of n questions holds the accuracy."""
    rights = np.arange(n + 1)
    found = [measure_interval((np.arange(n) < right).astype(float)) for right in rights]
    holds = [each is not None and each.low <= accuracy <= each.high for each in found]
    return float(stats.binom.pmf(rights, n, accuracy) @ np.array(holds))


def list_tables(n: int, share: float, difference: float) -> Iterator[tuple[int, int, float]]:
    """Yield how many questions only a and only b may have right, and how likely that is."""
    share_a, share_b = (share + difference) / 2, (share - difference) / 2
    all_only_a = np.arange(n + 1)
    for only_a, likely in zip(all_only_a, stats.binom.pmf(all_only_a, n, share_a), strict=True):
        if likely < UNLIKELY / n:
            continue
        only_b = np.arange(n - only_a + 1)
        both = likely * stats.binom.pmf(only_b, n - only_a, share_b / (1 - share_a))
        yield from ((int(only_a), int(at), float(both[at])) for at in np.flatnonzero(both > UNLIKELY / n))


def cover_bonett_price(n: int, share: float, difference: float) -> float:
    """Return the exact probability that the interval of Bonett and Price holds the difference."""
    total = 0.0
    for only_a, only_b, likely in list_tables(n, share, difference):
        found = compare_counts(only_a, only_b, n)
        if found.low is not None and found.high is not None and found.low <= difference <= found.high:
            total += likely
    return total


def find_difference(n: int, share: float, difference: float) -> float:
    """Return the exact probability that McNemar's mid-p test finds the difference; how often it errs, if that is 0."""
    tables = list_tables(n, share, difference)
    return math.fsum(likely for only_a, only_b, likely in tables if (compare_counts(only_a, only_b, n).p or 0) < 0.05)


def draw_grades(random: np.random.Generator, n: int, accuracy: float) -> Floats:
    """Return grades in quarters whose mean is the accuracy in the long run: each question is easier or harder than others."""
    easiness = random.beta(2 * accuracy, 2 * (1 - accuracy), n)
    return np.asarray(random.binomial(4, easiness) / 4, dtype=np.float64)


def draw_clusters(random: np.random.Generator, count: int, size: int, *, is_uneven: bool) -> Codes:
    """Return the cluster of each question; uneven sizes are geometric, so that a few clusters hold a large part."""
    sizes = random.geometric(1 / size, count) if is_uneven else np.full(count, size)
    return np.repeat(np.arange(count), sizes)


def draw_clustered(random: np.random.Generator, clusters: Codes, accuracy: float) -> Floats:
    """Return scores of 0 and 1 with a correlation of 0.25 within a cluster."""
    easiness = random.beta(3 * accuracy, 3 * (1 - accuracy), clusters[-1] + 1)
    return np.asarray(random.random(len(clusters)) < easiness[clusters], dtype=np.float64)


def cover_t(n: int, accuracy: float) -> float:
    """Return how often the t interval of n grades holds their accuracy."""
    random = np.random.default_rng(SEED)
    found = (measure_interval(draw_grades(random, n, accuracy)) for _ in range(SAMPLES))
    return sum(each is not None and each.low <= accuracy <= each.high for each in found) / SAMPLES


def cover_clusters(count: int, accuracy: float, *, is_uneven: bool) -> tuple[float, float]:
    """Return how often the interval holds the accuracy, for clusters of about five, with clusters and without knowing them."""
    random = np.random.default_rng(SEED)
    holds = np.zeros(2)
    for _ in range(SAMPLES):
        clusters = draw_clusters(random, count, 5, is_uneven=is_uneven)
        scores = draw_clustered(random, clusters, accuracy)
        found = measure_interval(scores, clusters), measure_interval(scores)
        holds += [each is not None and each.low <= accuracy <= each.high for each in found]
    return float(holds[0]) / SAMPLES, float(holds[1]) / SAMPLES


def find_graded_difference(n: int, difference: float) -> float:
    """Return how often the t test finds the difference of n pairs of normal grades, whose differences' variance is 0.25."""
    random = np.random.default_rng(SEED)
    found = (compare_scores(random.normal(difference, 0.5, n), np.zeros(n)) for _ in range(SAMPLES))
    return sum((each.p or 0) < 0.05 for each in found) / SAMPLES


def find_clustered_difference(n: int, difference: float) -> float:
    """Return how often it is found in clusters of four whose differences correlate by a half, with 0.25 as their variance."""
    random = np.random.default_rng(SEED)
    clusters = np.repeat(np.arange(round(n / 4)), 4)
    hits = 0
    for _ in range(SAMPLES):
        shared = random.normal(difference, 0.5 * math.sqrt(0.5), clusters[-1] + 1)[clusters]
        found = compare_scores(
            shared + random.normal(0, 0.5 * math.sqrt(0.5), len(clusters)), np.zeros(len(clusters)), clusters
        )
        hits += (found.p or 0) < 0.05
    return hits / SAMPLES


def print_row(*cells: str) -> None:
    """Print a row of the table."""
    print(f"{cells[0]:<34}" + "".join(f"{cell:>16}" for cell in cells[1:]), flush=True)


def print_coverage() -> None:
    """Print how often each interval holds the truth."""
    print_row("95 % interval holds the truth", *(f"n = {n:,}" for n in SIZES))
    for accuracy in ACCURACIES:
        print_row(f"Wilson, accuracy {accuracy}", *(f"{cover_wilson(n, accuracy):.1%}" for n in SIZES))
    for share, difference in ((0.05, 0.0), (0.05, 0.03), (0.2, 0.0), (0.2, 0.1), (0.5, 0.0), (0.5, 0.25)):
        cells = (f"{cover_bonett_price(n, share, difference):.1%}" for n in SIZES)
        print_row(f"Bonett-Price, {share:.0%} differ, by {difference:.0%}", *cells)
    for accuracy in ACCURACIES:
        print_row(f"t, quarter grades, accuracy {accuracy}", *(f"{cover_t(n, accuracy):.1%}" for n in SIZES))


def print_clustered_coverage() -> None:
    """Print how often the clustered interval holds the truth, and what Wilson's would do that knows of no clusters."""
    print_row("\nclusters of 5: clustered-t (Wilson)", *(f"C = {count:,}" for count in (10, 50, 200)))
    for accuracy in ACCURACIES:
        for is_uneven in (False, True):
            found = (cover_clusters(count, accuracy, is_uneven=is_uneven) for count in (10, 50, 200))
            name = f"accuracy {accuracy}, {'uneven' if is_uneven else 'even'} sizes"
            print_row(name, *(f"{clustered:.1%} ({alone:.1%})" for clustered, alone in found))


def print_power() -> None:
    """Print how often a difference is found with the number of questions that it should need, and without a difference."""
    print_row("\nquestions needed for 0.8", "n", "found", "found if equal")
    for share, difference in ((0.05, 0.02), (0.1, 0.02), (0.2, 0.05), (0.2, 0.1), (0.4, 0.1), (0.4, 0.2)):
        n = count_questions_needed(difference, Spread(share, is_binary=True)) or 0
        cells = (f"{n:,}", f"{find_difference(n, share, difference):.1%}", f"{find_difference(n, share, 0):.1%}")
        print_row(f"mid-p, {share:.0%} differ, by {difference:.0%}", *cells)
    for difference in (0.05, 0.2):
        n = count_questions_needed(difference, Spread(0.25, is_binary=False)) or 0
        found, found_if_equal = (f"{find_graded_difference(n, each):.1%}" for each in (difference, 0.0))
        print_row(f"t, grades differ by {difference:.0%}", f"{n:,}", found, found_if_equal)
    for difference in (0.05, 0.2):
        # A correlation of a half in clusters of four multiplies the variance by 1 + 3 / 2.
        n = count_questions_needed(difference, Spread(0.25 * 2.5, is_binary=False, questions_per_unit=4)) or 0
        found, found_if_equal = (f"{find_clustered_difference(n, each):.1%}" for each in (difference, 0.0))
        print_row(f"clustered-t, clusters of 4, by {difference:.0%}", f"{n:,}", found, found_if_equal)


if __name__ == "__main__":
    print_coverage()
    print_clustered_coverage()
    print_power()
