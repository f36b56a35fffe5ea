"""Formulas in plain notation (notation.py), evaluated with fixed numbers for their letters.

Two formulas are equal when they have the same value for several values of each letter: `x^2-1` is `(x+1)(x-1)`, and
`root(2,8)` is `2 root(2,2)`. Rational values are exact; roots, powers and functions are compared to nine digits. There is no
algebra here, and no search: reading a formula takes time in proportion to its length, and what cannot be read is None.
"""

import math
import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from hashlib import blake2b

from tasks.evaluation.extraction.arithmetic import (
    Number,
    absolute,
    add,
    are_same,
    call,
    choose,
    divide,
    factorial,
    is_finite,
    multiply,
    raise_power,
    take_root,
)
from tasks.evaluation.extraction.formula_tokens import tokenize

MOST_CHARACTERS = 200
DEEPEST = 24
SAMPLES = 3

# The formula's value for each sample of its letters' values.
Values = tuple[Number, ...]

INVERSES = {"sin": "arcsin", "cos": "arccos", "tan": "arctan"}
CONSTANTS: dict[str, Number] = {"π": complex(math.pi), "pi": complex(math.pi), "e": complex(math.e)}
# A score, a range, a date: whole numbers between dashes or several slashes are not a calculation.
OTHER_BASE = re.compile(r"\b0[xob]\w")
NO_CALCULATION = re.compile(r"\d+(?:\s*-\s*\d+)+|\d+(?:\s*/\s*\d+){2,}")


def evaluate(text: str, *, is_side: bool = False) -> Values | None:
    """Return the values of a formula; None for anything else.

    Letters alone are a word, unless they are the side of an equation.
    """
    if len(text) > MOST_CHARACTERS or NO_CALCULATION.fullmatch(text.strip()) or OTHER_BASE.search(text):
        return None
    tokens = tokenize(text)
    if tokens is None or not (is_side or any(kind != "letters" for kind, _ in tokens)):
        return None
    try:
        reader = _Reader(tokens)
        values = reader.read_sum()
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return values if reader.is_at_end() and all(map(is_finite, values)) else None


def are_equal(one: Values, other: Values) -> bool:
    """Return True if both have the same value in each sample."""
    return all(map(are_same, one, other))


def is_constant(values: Values) -> bool:
    """Return True if the value does not depend on any letter."""
    return all(are_same(values[0], value) for value in values[1:])


def is_proportional(one: Values, other: Values) -> bool:
    """Return True if one is the other times a constant that is not 0."""
    if any(value == 0 for value in (*one, *other)):
        return are_equal(one, other)
    return is_constant(tuple(divide(first, second) for first, second in zip(one, other, strict=True)))


def _negate(values: Values) -> Values:
    return tuple(-value for value in values)


def _apply(combine: Callable[[Number, Number], Number], one: Values, other: Values) -> Values:
    return tuple(map(combine, one, other))


@lru_cache(maxsize=1000)
def _sample(letter: str) -> Values:
    """Return the values that a letter stands for: always the same ones, the last of them negative."""
    if letter in CONSTANTS:
        return (CONSTANTS[letter],) * SAMPLES
    digest = blake2b(letter.encode(), digest_size=2 * SAMPLES).digest()
    parts = [1 + int.from_bytes(digest[2 * place : 2 * place + 2]) for place in range(SAMPLES)]
    return tuple(Fraction(part if place < SAMPLES - 1 else -part, 30_011) for place, part in enumerate(parts))


class _Reader:
    """Reads tokens from left to right by the usual precedence, and evaluates while it reads."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0

    def is_at_end(self) -> bool:
        return self._place == len(self._tokens)

    def read_sum(self) -> Values:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError("the brackets are nested too deeply")
        total = self._read_product()
        while sign := self._take("+", "-"):
            term = self._read_product()
            total = _apply(add, total, term if sign == "+" else _negate(term))
        self._depth -= 1
        return total

    def _read_product(self) -> Values:
        product = self._read_signed()
        while True:
            if sign := self._take("*", "/"):
                factor = self._read_signed()
                product = _apply(divide if sign == "/" else multiply, product, factor)
            elif self._starts_factor():
                product = _apply(multiply, product, self._read_power())
            else:
                return product

    def _read_signed(self) -> Values:
        is_negative = False
        while sign := self._take("+", "-"):
            is_negative ^= sign == "-"
        value = self._read_power()
        return _negate(value) if is_negative else value

    def _read_power(self) -> Values:
        base = self._read_atom()
        while self._take("!"):
            base = tuple(map(factorial, base))
        return _apply(raise_power, base, self._read_exponent()) if self._take("^", "**") else base

    def _read_exponent(self) -> Values:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError("the powers are nested too deeply")
        value = self._read_signed()
        self._depth -= 1
        return value

    def _read_atom(self) -> Values:
        kind, word = self._next()
        if kind == "number":
            return self._read_number(word)
        if kind == "letters":
            return _sample(word)
        if kind == "function":
            return self._read_function(word)
        if word == "∞":
            raise ValueError("infinity has no value")
        if word not in "(|":
            raise ValueError("a sign stands where a number is missing")
        value = self.read_sum()
        self._expect(")" if word == "(" else "|")
        return value if word == "(" else tuple(map(absolute, value))

    def _read_number(self, word: str) -> Values:
        number: Number = Fraction(word.replace(",", ""))
        if self._kind() == "number":  # "2 1/2"; two adjacent numbers are not a product
            above, slash, below = (word for _, word in self._tokens[self._place : self._place + 3])
            if slash != "/" or not above.isdecimal() or not below.isdecimal():
                raise ValueError("two numbers stand beside each other")
            self._place += 3
            number = add(number, Fraction(int(above), int(below)))
        return (number,) * SAMPLES

    def _read_function(self, name: str) -> Values:
        if name in ("root", "binom"):
            return self._read_two_arguments(take_root if name == "root" else choose)
        power = self._read_exponent() if self._take("^") else None
        if power is not None and name in INVERSES and power[0] == -1:
            name, power = INVERSES[name], None
        argument = self._read_argument()
        values = tuple(call(name, value) for value in argument)
        return values if power is None else _apply(raise_power, values, power)

    def _read_argument(self) -> Values:
        """Read a function's argument: in brackets, or all the factors up to the next sign or function."""
        if self._word() in ("(", "|"):
            return self._read_atom()
        value = self._read_signed()
        while self._kind() in ("number", "letters"):
            value = _apply(multiply, value, self._read_power())
        return value

    def _read_two_arguments(self, combine: Callable[[Number, Number], Number]) -> Values:
        self._expect("(")
        first = self.read_sum()
        self._expect(",")
        second = self.read_sum()
        self._expect(")")
        return _apply(combine, first, second)

    def _starts_factor(self) -> bool:
        return self._kind() in ("letters", "function") or self._word() == "("

    def _kind(self) -> str:
        return "" if self.is_at_end() else self._tokens[self._place][0]

    def _word(self) -> str:
        return "" if self.is_at_end() else self._tokens[self._place][1]

    def _next(self) -> tuple[str, str]:
        if self.is_at_end():
            raise ValueError("the formula ends too early")
        self._place += 1
        return self._tokens[self._place - 1]

    def _take(self, *signs: str) -> str:
        word = self._word()
        if word not in signs or not word:
            return ""
        self._place += 1
        return word

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise ValueError(f"{sign} is missing")
