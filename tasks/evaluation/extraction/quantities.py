r"""Numbers with their units, as short answers give them: "13", "1,300 km", "\frac{1}{2}", "50%", "1.3 million".

Only a whole text is a quantity. Years of an era and times of the day are none: "44 BC" is not the number 44.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from tasks.evaluation.extraction.plain_text import strip_formatting

DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?:\.\d+)?"
NUMBER = re.compile(rf"(?P<sign>[+-]?)(?P<digits>(?=\.?\d){DIGITS})(?:e(?P<exponent>[+-]?\d{{1,3}}))?")
FRACTION = re.compile(r"(?P<sign>[+-]?)(?:(?P<whole>\d{1,9}) )?(?P<above>\d{1,12}) ?/ ?(?P<below>\d{1,12})")
# A power of ten in LaTeX, or with a sign or a star for "times", before formatting is taken away: a star would be taken for it.
POWER_OF_TEN = re.compile(r"\s*(?:\\times|\\cdot|[×·*x])\s*10\s*(?:\^|\*\*)\s*\{?([+-]?\d{1,3})\}?")
VULGAR = str.maketrans(
    {"½": " 1/2", "¼": " 1/4", "¾": " 3/4", "⅓": " 1/3", "⅔": " 2/3", "−": "-", "\u00a0": " ", "\u202f": " "}
)
ABOUT = re.compile(r"(?:about|approximately|approx\.?|around|roughly|circa|[~≈=])\s*")
# fmt: off
WORDS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
]
# fmt: on
# A longer text is no number that anyone has written.
MOST_CHARACTERS = 100
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
NO_UNITS = {"bc", "bce", "ad", "ce", "am", "pm"}
UNIT_WORD = r"(?:[^\W\d_]+\.?(?:\^?\{?-?\d\}?)?|[%°€£Ω])"
UNIT = re.compile(rf"{UNIT_WORD}(?:[ /·*-]?{UNIT_WORD}){{0,3}}")
# Units by their usual sign; a reference in one of these is also met by the bare number.
UNITS = {
    name: sign
    for sign, names in {
        "%": "% percent pct",
        "°": "° degree deg",
        "°c": "°c celsius centigrade",
        "°f": "°f fahrenheit",
        "k": "k kelvin",
        "m": "m meter metre",
        "km": "km kilometer kilometre",
        "cm": "cm centimeter centimetre",
        "mm": "mm millimeter millimetre",
        "mi": "mi mile",
        "ft": "ft foot feet",
        "in": "in inch inche",
        "g": "g gram gramme",
        "kg": "kg kilogram kilogramme kilo",
        "mg": "mg milligram",
        "lb": "lb pound",
        "l": "l liter litre",
        "ml": "ml milliliter millilitre",
        "s": "s sec second",
        "ms": "ms millisecond",
        "min": "min minute",
        "h": "h hr hour",
        "d": "d day",
        "week": "week",
        "month": "month",
        "yr": "yr year",
        "j": "j joule",
        "kj": "kj kilojoule",
        "n": "n newton",
        "w": "w watt",
        "kw": "kw kilowatt",
        "v": "v volt",
        "a": "a amp ampere",
        "ω": "ω ohm",
        "hz": "hz hertz",
        "pa": "pa pascal",
        "mol": "mol mole",
        "€": "€ euro eur",
        "£": "£ gbp",
        "$": "$ dollar usd",
    }.items()
    for name in names.split()
}


@dataclass(frozen=True)
class Quantity:
    """A number as it was written.

    `step` is the worth of its last decimal, 0 for a number without decimals. `unit` is empty without one, and the usual sign
    where it is a known one.
    """

    value: Fraction
    step: Fraction
    is_fraction: bool
    unit: str


def parse_quantity(text: str) -> Quantity | None:
    """The quantity that the whole text states; None when it states anything else."""
    if len(text) > MOST_CHARACTERS:
        return None
    plain = POWER_OF_TEN.sub(r"e\1", text.translate(VULGAR))
    plain = " ".join(strip_formatting(plain).casefold().replace("per cent", "percent").split()).rstrip(" .,;!")
    plain = ABOUT.sub("", plain, count=1) if ABOUT.match(plain) else plain
    currency = plain[0] if plain[:1] in {"€", "£", "$"} else ""
    plain = plain[len(currency) :].lstrip()
    first, _, rest = plain.partition(" ")
    plain = f"{WORDS.index(first)} {rest}".strip() if first in WORDS else plain
    match = FRACTION.match(plain) or NUMBER.match(plain)
    return _complete(match, plain[match.end() :].strip(), currency) if match else None


def is_met(reference: Quantity, given: Quantity) -> bool:
    """Whether the given quantity is the reference: the same number, as far as the reference writes its decimals.

    A fraction is compared by the decimals of what is given, two at least. A percentage is met by its hundredth; a known unit
    need not be repeated, another one does not meet it, and none is converted.
    """
    factors = {Fraction(1)}
    if "%" in {reference.unit, given.unit} and reference.unit != given.unit:
        if reference.unit and given.unit:
            return False
        factors.add(Fraction(1, 100) if given.unit else Fraction(100))
    elif reference.unit != given.unit and reference.unit and (given.unit or reference.unit not in UNITS.values()):
        return False
    step = reference.step
    if reference.is_fraction and given.step <= Fraction(1, 100):
        step = given.step
    return any(abs(given.value * factor - reference.value) <= step / 2 for factor in factors)


def _complete(match: re.Match[str], rest: str, currency: str) -> Quantity | None:
    scale_word, _, behind = rest.partition(" ")
    scale = SCALES.get(scale_word, 1)
    unit = _read_unit(behind if scale > 1 else rest)
    if unit is None or (match.re is FRACTION and not int(match["below"])):
        return None
    sign = -1 if match["sign"] == "-" else 1
    if match.re is FRACTION:
        value = int(match["whole"] or 0) + Fraction(int(match["above"]), int(match["below"]))
        return Quantity(sign * value * scale, Fraction(0), value.denominator > 1, unit or currency)
    digits = match["digits"].replace(",", "")
    power = Fraction(10) ** int(match["exponent"] or 0) * scale
    decimals = len(digits.partition(".")[2])
    step = power / 10**decimals if decimals else Fraction(0)
    return Quantity(sign * Fraction(digits) * power, step, is_fraction=False, unit=unit or currency)


def _read_unit(text: str) -> str | None:
    """The unit, by its usual sign where it is known; empty for none, None where the text is no unit."""
    if text and (not UNIT.fullmatch(text) or NO_UNITS & set(text.replace(".", "").split())):
        return None
    words = text.removeprefix("degrees ").removeprefix("degree ") or text
    for name in (text, words, words.removesuffix("s")):
        if name in UNITS:
            return UNITS[name]
    return text.removesuffix("s")
