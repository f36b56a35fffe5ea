"""Arithmetic that is exact for rational numbers, and bounded: what would grow too large, or has no value, raises.

Roots, powers and functions without a rational value give complex numbers, which are compared to nine digits.
"""

import cmath
import math
from collections.abc import Callable
from fractions import Fraction

# Nobody writes a power with more digits as an answer.
MOST_BITS = 20_000
LARGEST_FACTORIAL = 200
TOLERANCE = 1e-9

Number = Fraction | complex

FUNCTIONS: dict[str, Callable[[complex], complex]] = {
    "sin": cmath.sin,
    "cos": cmath.cos,
    "tan": cmath.tan,
    "sec": lambda value: 1 / cmath.cos(value),
    "csc": lambda value: 1 / cmath.sin(value),
    "cot": lambda value: 1 / cmath.tan(value),
    "arcsin": cmath.asin,
    "arccos": cmath.acos,
    "arctan": cmath.atan,
    "sinh": cmath.sinh,
    "cosh": cmath.cosh,
    "tanh": cmath.tanh,
    "ln": cmath.log,
    "log": cmath.log10,
    "lg": cmath.log10,
    "exp": cmath.exp,
}


def add(one: Number, other: Number) -> Number:
    """Return the sum."""
    return one + other


def multiply(one: Number, other: Number) -> Number:
    """Return the product.

    Raises:
        OverflowError: it has too many digits.
    """
    return _bounded(one * other)


def divide(one: Number, other: Number) -> Number:
    """Return the quotient.

    Raises:
        ZeroDivisionError: the divisor is 0.
        OverflowError: it has too many digits.
    """
    return _bounded(one / other)


def raise_power(base: Number, exponent: Number) -> Number:
    """Return the power, exact for a whole exponent of a rational number.

    Raises:
        OverflowError: it has too many digits.
    """
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if bits * abs(exponent.numerator) > MOST_BITS:
            raise OverflowError("the power has too many digits")
        return Fraction(base**exponent.numerator)
    if exponent == Fraction(1, 2):
        return take_root(Fraction(2), base)
    return complex(base) ** complex(exponent)


def take_root(degree: Number, radicand: Number) -> Number:
    """Return the root: exact if it is rational, real if it is an odd root of a real number.

    Raises:
        ZeroDivisionError: the degree is 0.
    """
    if isinstance(radicand, Fraction) and isinstance(degree, Fraction) and degree.denominator == 1 and degree > 0:
        order, sign = degree.numerator, -1 if radicand < 0 and degree.numerator % 2 else 1
        root = Fraction(_nearest_root(abs(radicand.numerator), order), _nearest_root(radicand.denominator, order) or 1)
        if order <= MOST_BITS // 64 and root**order == radicand * sign:
            return root * sign
        return sign * complex(radicand * sign) ** (1 / order)
    return complex(radicand) ** (1 / complex(degree))


def factorial(value: Number) -> Number:
    """Return the factorial, by the gamma function if the number is not whole.

    Raises:
        ValueError: it has none.
        OverflowError: it has too many digits.
    """
    if not isinstance(value, Fraction) or value > LARGEST_FACTORIAL:
        raise OverflowError("the factorial has too many digits")
    if value.denominator == 1:
        return Fraction(math.factorial(value.numerator))
    return complex(math.gamma(value + 1))


def choose(count: Number, chosen: Number) -> Number:
    """Return the binomial coefficient.

    Raises:
        ValueError: it has none.
        OverflowError: it has too many digits.
    """
    return divide(factorial(count), multiply(factorial(chosen), factorial(count - chosen)))


def absolute(value: Number) -> Number:
    """Return the absolute value."""
    return abs(value) if isinstance(value, Fraction) else complex(abs(value))


def call(name: str, value: Number) -> Number:
    """Return the function's value; `log_2` is the logarithm to the base 2.

    Raises:
        ValueError: it has none there.
        OverflowError: it is too large.
    """
    if name == "sqrt":
        return take_root(Fraction(2), value)
    if name == "abs":
        return absolute(value)
    if name.startswith("log_"):
        return cmath.log(value) / cmath.log(int(name[4:].strip("()")))
    return FUNCTIONS[name](complex(value))


def is_finite(value: Number) -> bool:
    """Return True for a number that is neither infinite nor undefined."""
    return isinstance(value, Fraction) or cmath.isfinite(value)


def are_same(one: Number, other: Number) -> bool:
    """Return True if both are the same: exactly if both are rational, else to nine digits."""
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return one == other
    return cmath.isclose(complex(one), complex(other), rel_tol=TOLERANCE, abs_tol=1e-12)


def _nearest_root(number: int, order: int) -> int:
    if number.bit_length() > MOST_BITS or order > MOST_BITS:
        raise OverflowError("the root has too many digits")
    return math.isqrt(number) if order == 2 else round(number ** (1 / order))


def _bounded(value: Number) -> Number:
    if isinstance(value, Fraction) and value.numerator.bit_length() + value.denominator.bit_length() > MOST_BITS:
        raise OverflowError("the number has too many digits")
    return value
