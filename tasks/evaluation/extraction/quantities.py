r"""Numbers with their units, as short answers give them: "13", "1,300 km", "50%", "$1.3 million", "two and a half", "36π".

Only a whole text is a quantity. Years of an era, times of the day, scores and ranges are not: "44 BC" is not the number 44.
"""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from tasks.evaluation.extraction.arithmetic import TOLERANCE
from tasks.evaluation.extraction.formulas import evaluate, is_constant
from tasks.evaluation.extraction.number_words import SCALES, write_digits
from tasks.evaluation.extraction.units import CURRENCIES, CURRENCY, NONE, PERCENT, Unit, parse_unit

# Nobody writes a number in a longer text.
MOST_CHARACTERS = 100
SIGN = r"(?P<sign>[+-]?) ?"
# Thousands are separated by commas, spaces, apostrophes, or points if a decimal comma follows.
DIGITS = r"\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d{1,3}(?:[ ']\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?(?!,?\d)|\.\d+"
NUMBER = re.compile(rf"{SIGN}(?P<digits>{DIGITS})(?:e(?P<exponent>[+-]?\d{{1,3}})(?!\d))?", re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"(?<![\d.,])(\d{1,3}(?:\.\d{3})+|\d+),(\d+)(?![\d.,])")
FRACTION = re.compile(
    rf"{SIGN}\(*(?P<minus>-?)(?:(?P<whole>\d{{1,9}}) )?\(*(?P<above>\d{{1,12}})\)? ?/ ?\(?(?P<below>\d{{1,12}})\)*(?![\d/.])"
)
POWER_OF_TEN = re.compile(r"(?<=[\d.]) ?[*x] ?10 ?(?:\^|\*\*) ?\(?([+-]?\d{1,3})\)?(?!\d)", re.IGNORECASE)
FORMULA = re.compile(r"(?P<formula>.*[\d)π!])(?P<rest> ?[^\d()]*(?:\^\(?-?\d\)?)?)")
BEHIND_FORMULA = re.compile(r"(?P<formula>[^ ]*[\d)π!]) (?P<rest>[^\d()]{1,40}(?:\^\(?-?\d\)?)?)")
DECADE = re.compile(r"(?:the )?\d{1,3}0'?s", re.IGNORECASE)
ABOUT = re.compile(r"(?:about|approximately|approx\.?|around|roughly|circa|[~≈=])\s*", re.IGNORECASE)
MINUS = re.compile(r"(?:minus|negative)\s+(?=[\d.$€£])", re.IGNORECASE)
SCALE = re.compile(
    r"(?: ?(?P<word>hundred|thousand|million|billion|trillion|mio|mn|mln|bn|tn)\b\.?| ?(?P<letter>[kKMBT])\b)(?P<rest>.*)",
    re.IGNORECASE,
)
SHORT_SCALES = SCALES | {"hundred": 100, "mio": 10**6, "mn": 10**6, "mln": 10**6, "bn": 10**9, "tn": 10**12}
LETTER_SCALES = {"k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}
# What a price is paid for: "$18 per day".
RATE = re.compile(r"(?P<unit>.*?) ?(?:\b(?:per|an?|each|every)\b|/) ?(?P<rate>[a-z]{1,15})")
NEXT_PART = re.compile(r",? (?:and )?(?=\d)")
MOST_DIGITS_APART = Fraction(2, 100)


@dataclass(frozen=True)
class Quantity:
    """A number as it was written."""

    value: Fraction
    """Its value in its own unit."""
    step: Fraction = Fraction(0)
    """The value of one unit in its last decimal place; 0 for a number without decimals."""
    is_exact: bool = False
    """True for a fraction, a root or a power, which may have more digits than anyone writes."""
    is_rounded: bool = False
    """True if the value is known only to nine digits."""
    unit: Unit = NONE
    """Its unit or currency."""
    rate: str = ""
    """What a price is paid for: "day" in "$18 per day"."""


@lru_cache(maxsize=256)  # the readings of one answer meet the same reference
def parse_quantity(text: str, *, has_decimal_comma: bool = False) -> Quantity | None:
    """Return the quantity that the whole text, in plain notation (notation.py), states; None if it states anything else.

    "1,300" is thirteen hundred unless the text `has_decimal_comma`; "1.300,5" can be read in only one way.
    """
    if len(text) > MOST_CHARACTERS or DECADE.fullmatch(text):
        return None
    plain = write_digits(text).strip(" ,;").rstrip(". ")
    plain = ABOUT.sub("", plain, count=1) if ABOUT.match(plain) else plain
    plain = MINUS.sub("-", POWER_OF_TEN.sub(r"e\1", plain))
    plain = DECIMAL_COMMA.sub(lambda found: _write_point(found, has_decimal_comma=has_decimal_comma), plain)
    sign, currency, plain = _split_currency(plain)
    quantity = _parse_parts(plain, currency)
    return replace(quantity, value=-quantity.value) if quantity and sign == "-" else quantity


def is_met(reference: Quantity, given: Quantity) -> bool:
    """Return True if the given quantity is the reference: the same number, as far as the reference writes its decimals.

    An exact reference is met by its decimals, two at least of a fraction, three of a root. A percentage is met by its
    hundredth. A unit need not be repeated; another one of the same kind is converted; one of another kind does not meet it.
    """
    if given.rate and reference.rate and given.rate != reference.rate:
        return False
    if given.unit.dimensions == reference.unit.dimensions:
        return _is_near(reference, _scale(given, given.unit.factor / reference.unit.factor))
    if PERCENT in (reference.unit.dimensions, given.unit.dimensions):
        return _is_met_percentage(reference, given)
    return not (reference.unit.dimensions and given.unit.dimensions) and _is_near(reference, given)


def _is_met_percentage(reference: Quantity, given: Quantity) -> bool:
    """Return True if one is the other in percent; a bare number above 1 may already be meant in percent."""
    if reference.unit.dimensions and given.unit.dimensions:
        return False
    if reference.unit.dimensions:
        return _is_near(reference, given) or _is_near(reference, _scale(given, Fraction(100)))
    return (abs(reference.value) > 1 and _is_near(reference, given)) or _is_near(reference, _scale(given, Fraction(1, 100)))


def _is_near(reference: Quantity, given: Quantity) -> bool:
    difference = abs(given.value - reference.value)
    if reference.is_rounded or given.is_rounded:
        if difference <= abs(reference.value) * Fraction(TOLERANCE):
            return True
    elif not difference:
        return True
    step = reference.step
    if reference.is_exact and 0 < given.step <= (Fraction(1, 1000) if reference.is_rounded else Fraction(1, 100)):
        step = given.step
    return difference <= step / 2 and difference <= abs(reference.value) * MOST_DIGITS_APART


def _scale(quantity: Quantity, factor: Fraction) -> Quantity:
    return replace(quantity, value=quantity.value * factor, step=quantity.step * factor)


def _write_point(found: re.Match[str], *, has_decimal_comma: bool) -> str:
    is_certain = "." in found[1]
    return f"{found[1].replace('.', '')}.{found[2]}" if is_certain or has_decimal_comma else found[0]


def _split_currency(text: str) -> tuple[str, Unit | None, str]:
    """Split off a currency before the number, and the sign before the currency."""
    sign = text[:1] if text[:1] in ("-", "+") else ""
    match = CURRENCY.match(text, len(sign))
    if not match:
        return "", None, text
    return sign, parse_unit(match[0].strip()) or parse_unit(match[0].strip().upper()), text[match.end() :]


def _parse_parts(text: str, currency: Unit | None) -> Quantity | None:
    """Parse one quantity, or several of the same kind that add up: "5 feet 6 inches"."""
    quantity = _parse_one(text, currency)
    if quantity or currency:
        return quantity
    parts = [_parse_one(part, None) for part in NEXT_PART.split(text)]
    first = parts[0]
    if len(parts) < 2 or not first or not first.unit.is_known or not first.unit.dimensions:
        return None
    total = Fraction(0)
    for part in parts:
        if not part or part.unit.dimensions != first.unit.dimensions:
            return None
        total += part.value * part.unit.factor / first.unit.factor
    return replace(first, value=total)


def _parse_one(text: str, currency: Unit | None) -> Quantity | None:
    for match in (FRACTION.match(text), NUMBER.match(text)):
        quantity = match and _complete(_read_number(match), text[match.end() :], currency)
        if quantity:
            return quantity
    return _parse_formula(text, currency)


def _parse_formula(text: str, currency: Unit | None) -> Quantity | None:
    for match in (FORMULA.fullmatch(text), BEHIND_FORMULA.fullmatch(text)):
        values = evaluate(match["formula"]) if match else None
        if match and values and is_constant(values):
            value = values[0]
            if not isinstance(value, Fraction) and abs(value.imag) > TOLERANCE * abs(value):
                return None
            is_rational = isinstance(value, Fraction)
            number = value if isinstance(value, Fraction) else Fraction(value.real)
            exact = Quantity(number, is_exact=not is_rational or number.denominator > 1, is_rounded=not is_rational)
            return _complete(exact, match["rest"], currency)
    return None


def _read_number(match: re.Match[str]) -> Quantity | None:
    sign = -1 if match["sign"] == "-" else 1
    if match.re is FRACTION:
        if not int(match["below"]) or match[0].count("(") != match[0].count(")"):
            return None
        value = int(match["whole"] or 0) + Fraction(int(match["above"]), int(match["below"]))
        return Quantity((-value if match["minus"] else value) * sign, is_exact=value.denominator > 1)
    digits = re.sub(r"[ ',]", "", match["digits"])
    power = Fraction(10) ** int(match["exponent"] or 0)
    decimals = len(digits.partition(".")[2])
    return Quantity(sign * Fraction(digits) * power, power / 10**decimals if decimals else Fraction(0))


def _complete(number: Quantity | None, rest: str, currency: Unit | None) -> Quantity | None:
    """Complete the number by the scale and the unit that follow it."""
    if not number:
        return None
    scale = SCALE.fullmatch(rest)
    if scale and (factor := _read_scale(scale, has_currency=currency is not None)):
        number, rest = _scale(number, Fraction(factor)), scale["rest"]
    per = RATE.fullmatch(rest) if currency else None
    unit = parse_unit((per["unit"] if per else rest).strip().removeprefix("-").strip())
    if unit is None or (currency and unit.dimensions and unit.dimensions != currency.dimensions and _is_currency(unit)):
        return None
    return replace(number, unit=currency or unit, rate=per["rate"] if per else "")


def _read_scale(scale: re.Match[str], *, has_currency: bool) -> int | None:
    """Return the factor. A letter is one after a currency's number; after a bare number only k, M or B, without a space."""
    if scale["word"]:
        return SHORT_SCALES[scale["word"].casefold()]
    letter, is_attached = scale["letter"], not scale[0].startswith(" ")
    is_scale = has_currency or (is_attached and letter in ("k", "M", "B") and not scale["rest"].strip())
    return LETTER_SCALES[letter.casefold()] if is_scale else None


def _is_currency(unit: Unit) -> bool:
    return any(dimension in CURRENCIES for dimension, _ in unit.dimensions)
