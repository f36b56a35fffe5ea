"""Equations and inequalities: which of them are the same, and which value "x = 5" gives."""

import re

from tasks.evaluation.extraction.formulas import Values, are_equal, evaluate, is_proportional

RELATION = re.compile(r"\s*(<=|>=|!=|==|=|<|>|≈)\s*")
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
# What a value may be given to: "x", "x_1", "f(x)", "f'(x)", "P(A)", "dy/dx", "Area", "the total cost".
NAME = re.compile(
    r"d\w/d\w|(?!(?:sin|cos|tan|ln|log|exp|abs)\b)[^\W\d_][\w']{0,20}(?:\([\w, |]{1,12}\))?(?: [^\W\d_]{1,15}){0,3}"
)
LETTER = re.compile(r"(?<![^\W\d_])[^\W\d_](?![^\W\d_])")
CURRENCY = re.compile(r"[$€£¥]")
MOST_SIDES = 4


def split_value(text: str) -> tuple[str | None, str]:
    """Return the name and the value of "x = 5", an empty name for "3 * 6 = 18", and None as the name for anything else."""
    *sides, value = re.split(r"(?<![<>!=])\s*[=≈]\s*(?!=)", text)
    if not sides or not value:
        return None, text
    names = [side for side in sides if NAME.fullmatch(side)]
    calculated = [evaluate(CURRENCY.sub("", side)) for side in sides if side not in names]
    if len(names) > 1 or not all(calculated):
        return None, text
    if not names and any(LETTER.search(side.replace("e", "").replace("π", "")) for side in sides):
        return None, text
    return (names[0] if names else ""), value


def are_same_relations(one: str, other: str) -> bool | None:
    """Return True if two formulas, equations or inequalities are the same; None if either is something else.

    The sides of an equation may be exchanged, and both may be multiplied; an inequality may be read from right to left.
    """
    first, second = _split(one), _split(other)
    if first is None or second is None or len(first[1]) != len(second[1]):
        return None
    (signs, sides), (other_signs, other_sides) = first, second
    if len(sides) == 1:
        return are_equal(sides[0], other_sides[0])
    if signs == other_signs and all(map(are_equal, sides, other_sides)):
        return True
    if [MIRRORED.get(sign, sign) for sign in reversed(other_signs)] == signs and all(
        map(are_equal, sides, reversed(other_sides))
    ):
        return True
    return signs == other_signs == ["="] and is_proportional(_subtract(*sides), _subtract(*other_sides))


def _subtract(one: Values, other: Values) -> Values:
    return tuple(first - second for first, second in zip(one, other, strict=True))


def _split(text: str) -> tuple[list[str], list[Values]] | None:
    """Return the signs and the sides of a relation; one side is a formula, and a letter alone counts beside another side."""
    pieces = RELATION.split(text)
    if len(pieces) > 2 * MOST_SIDES:
        return None
    signs = ["=" if sign == "==" else sign for sign in pieces[1::2]]
    sides = [evaluate(side, is_side=bool(signs)) for side in pieces[::2]]
    known = [side for side in sides if side is not None]
    return (signs, known) if len(known) == len(sides) else None
