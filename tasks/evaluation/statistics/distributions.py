"""The probability distributions that intervals and tests are computed from.

Those of scipy are imported when the first of them is asked for: the import takes longer than most commands.
"""

from statistics import NormalDist


def find_normal_quantile(probability: float) -> float:
    """Return what a standard normal variable is below with this probability, between 0 and 1.

    Source: Wichura 1988, algorithm AS 241, by Python's standard library.
    """
    return NormalDist().inv_cdf(probability)


def find_t_quantile(probability: float, degrees: int) -> float:
    """Return what a t variable with this many degrees of freedom is below with this probability."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, probability))


def find_t_probability(value: float, degrees: int) -> float:
    """Return the probability that a t variable with this many degrees of freedom is at most the value."""
    from scipy.special import stdtr

    return float(stdtr(degrees, value))


def find_coin_probability(heads: int, tosses: int) -> float:
    """Return the probability of at most this many heads."""
    from scipy.special import bdtr

    return float(bdtr(heads, tosses, 0.5))


def find_binomial_tail(least: int, count: int, probability: float) -> float:
    """Return the probability that a binomial variable is at least `least`, which is from 1 to `count`."""
    from scipy.special import betainc

    return float(betainc(least, count - least + 1, probability))
