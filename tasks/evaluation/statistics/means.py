"""The mean of values that were sampled one by one or in clusters, with its standard error: what every t interval stands on."""

import math
from dataclasses import dataclass

import numpy as np

from tasks.evaluation.statistics.arrays import Codes, Floats
from tasks.evaluation.statistics.distributions import find_normal_quantile, find_t_quantile

# What rounding may leave of a mean or a standard error that is zero, for values from -1 to 1.
ROUNDING = 1e-12
# Codes that span at most this many places for each value are counted in a table; others are sorted first.
TABLE_PLACES = 8


@dataclass(frozen=True)
class SampledMean:
    """The mean of some values, and how much it would vary from sample to sample."""

    mean: float
    """The mean of all values: a large cluster counts for more than a small one."""
    error: float | None
    """The standard error of the mean; None for fewer than two units. Exactly 0 if no unit's mean differs from the others'."""
    units: int
    """The number of units that were sampled independently: clusters, or the values themselves."""
    count: int
    """The number of values."""


def measure_mean(values: Floats, clusters: Codes | None = None) -> SampledMean:
    """Return the values' mean with its standard error.

    The clustered error is the sandwich estimator CR0 with the factor C / (C - 1) for C clusters. With each value in a cluster
    of its own that is exactly the standard error of independent values, which CR0 alone would understate.

    Args:
        values: one or more values.
        clusters: the cluster of each value, by any codes; None: each value is a unit of its own.

    Source: Liang & Zeger 1986; Cameron & Miller 2015, "A practitioner's guide to cluster-robust inference", equation 12 with
    one regressor; Miller 2024, "Adding error bars to evals".
    """
    mean = float(values.mean())
    if abs(mean) < ROUNDING:
        mean = 0.0
    deviations = values - mean
    if clusters is not None:
        deviations = _sum_by_cluster(deviations, clusters)
    units, count = len(deviations), len(values)
    if units < 2:
        return SampledMean(mean, None, units, count)
    error = math.sqrt(units / (units - 1) * float(deviations @ deviations)) / count
    return SampledMean(mean, error if error > ROUNDING else 0.0, units, count)


def find_z(confidence: float) -> float:
    """Return how many standard errors from the mean a normal interval of this confidence ends: 1.96 for 0.95."""
    return find_normal_quantile((1 + confidence) / 2)


def find_t(confidence: float, degrees: int) -> float:
    """Return how many standard errors from the mean a t interval of this confidence ends, with this many degrees of freedom."""
    return find_t_quantile((1 + confidence) / 2, degrees)


def _sum_by_cluster(values: Floats, clusters: Codes) -> Floats:
    """Return the sum of each cluster's values, in any order."""
    first = clusters.min()
    if int(clusters.max()) - int(first) < TABLE_PLACES * len(clusters):
        places = clusters - first
    else:
        places = np.unique(clusters, return_inverse=True)[1]
    sums = np.bincount(places, weights=values)[np.bincount(places) > 0]
    return np.asarray(sums, dtype=np.float64)
