"""Units of measurement and currencies: which are the same, and how many of one make another.

A unit is a product of powers of dimensions, each measured in one basic unit. Capitals matter: mW is not MW. An unknown unit is
a dimension of its own if it is written like a noun: "eggs".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

PREFIXES = {
    "p": ("pico", -12),
    "n": ("nano", -9),
    "μ": ("micro", -6),
    "u": ("micro", -6),
    "m": ("milli", -3),
    "c": ("centi", -2),
    "d": ("deci", -1),
    "h": ("hecto", 2),
    "k": ("kilo", 3),
    "M": ("mega", 6),
    "G": ("giga", 9),
    "T": ("tera", 12),
}
# Dimension: its symbols and names that take a prefix. The first is the basic unit.
PREFIXED = {
    "length": "m meter metre",
    "mass": "g gram gramme",
    "time": "s sec second",
    "current": "A amp ampere",
    "amount": "mol mole",
    "volume": "L l liter litre",
    "force": "N newton",
    "energy": "J joule",
    "power": "W watt",
    "voltage": "V volt",
    "resistance": "Ω ohm",
    "frequency": "Hz hertz",
    "pressure": "Pa pascal",
    "charge": "coulomb",
    "capacitance": "F farad",
    "field": "T tesla",
    "bytes": "B byte",
    "bits": "bit b",
    "electronvolt": "eV electronvolt",
    "heat": "cal calorie",
}
# Dimension: names, and how many basic units one is.
OTHERS = {
    "length": "mi,mile 1609.344; ft,foot,feet 0.3048; in,inch,inches,inche 0.0254; yd,yard 0.9144",
    "mass": "lb,lbs,pound 453.59237; oz,ounce 28.349523125; ton,tonne 1000000; kilo 1000",
    "time": "min,minute 60; h,hr,hour 3600; d,day 86400; week,wk 604800",
    "months": "month,mo 1; yr,year 12; decade 120; century,centurie 1200",
    "angle": "°,degree,deg 1",
    "radians": "rad,radian 1",
    "celsius": "°C,celsius,centigrade 1",
    "fahrenheit": "°F,fahrenheit 1",
    "kelvin": "K,kelvin 1",
    "percent": "%,percent,pct 1",
    "dollar": "$,US$,USD,dollar,buck 1; ¢,cent 0.01",
    "euro": "€,EUR,euro 1",
    "sterling": "£,GBP 1; pence,penny 0.01",
    "yen": "¥,JPY,yen 1",
    "rupee": "₹,Rs,Rs.,INR,rupee 1",
    "yuan": "CNY,RMB,yuan 1",
    "won": "₩,KRW,won 1",
    "rouble": "₽,RUB,ruble,rouble 1",
    "franc": "CHF,franc 1",
    "square": "acre 4046.8564224; hectare,ha 10000",
}
CURRENCY = re.compile(r"(?:US\$|[$€£¥₹₩₽]|(?:USD|EUR|GBP|JPY|INR|CNY|RMB|KRW|RUB|CHF)\b|Rs\.?(?=[\s\d]))\s*", re.IGNORECASE)
CURRENCIES = frozenset({"dollar", "euro", "sterling", "yen", "rupee", "yuan", "won", "rouble", "franc"})
COMPOUND = {"mph": "mile/hour", "kph": "km/h", "kmph": "km/h", "kmh": "km/h", "rpm": "revolution/min", "bps": "bit/s"}
POWER_WORDS = (
    (re.compile(r"\b(?:square|sq\.?) (\w+)"), r"\1^2"),
    (re.compile(r"\b(?:cubic|cu\.?) (\w+)"), r"\1^3"),
    (re.compile(r"(\w+) squared\b"), r"\1^2"),
    (re.compile(r"(\w+) cubed\b"), r"\1^3"),
    (re.compile(r"\bdegrees? (?=[CF]\b|celsius|fahrenheit|centigrade)", re.IGNORECASE), "°"),
    (re.compile(r"° ?celsius", re.IGNORECASE), "°C"),
    (re.compile(r"° ?fahrenheit", re.IGNORECASE), "°F"),
    (re.compile(r"°\s+(?=[CF]\b)"), "°"),
    (re.compile(r"\b(?:US|American) (?=dollars?\b|cents?\b)"), ""),
    (re.compile(r"\bper ?cent\b"), "percent"),
    (re.compile(r"\s*\bper\b\s*"), "/"),
)
# Words after a number that are not units.
NO_UNIT = re.compile(
    r"\s*\b(?:(?:square|cubic) )?units?\b[23^()]*|\s*\b(?:in total|altogether|total|each|left|remaining|exactly|only|old"
    r"|approximately"
    r"|every (?:day|week|month|year))\b",
    re.IGNORECASE,
)
PIECE = re.compile(r"([^\W\d_]+\.?|°[CF]?|[%€£¥₹₩₽$¢Ω]|US\$)(?:\^?\(?([+-]?\d)\)?)?")
# An era or half of a day is part of a date or a time.
NO_NOUNS = frozenset(["bc", "bce", "ad", "ce", "am", "pm", "st", "nd", "rd", "th", "x", "or", "and", "to"])
NOUNS = re.compile(r"[a-z]{2,}(?:[ -][a-z]+){0,3}")


@dataclass(frozen=True)
class Unit:
    """A unit of measurement."""

    dimensions: tuple[tuple[str, int], ...] = ()
    """Each dimension with its power, in order; empty: no unit."""
    factor: Fraction = Fraction(1)
    """How many basic units it is."""
    is_known: bool = True
    """False for a noun that is counted."""


NONE = Unit()
PERCENT = (("percent", 1),)


def _list_units() -> dict[str, tuple[str, Fraction]]:
    units = dict[str, tuple[str, Fraction]]()
    for dimension, names in PREFIXED.items():
        for name in names.split():
            units[name] = (dimension, Fraction(1))
            for sign, (word, power) in PREFIXES.items():
                is_symbol = len(name) <= 3 and name not in ("sec", "amp", "ohm")
                prefixed = f"{sign}{name}" if is_symbol else f"{word}{name}"
                units.setdefault(prefixed, (dimension, Fraction(10) ** power))
    for dimension, entries in OTHERS.items():
        for entry in entries.split("; "):
            names, factor = entry.rsplit(" ", 1)
            units.update({name: (dimension, Fraction(factor)) for name in names.split(",")})
    return units


def _fold(units: Mapping[str, tuple[str, Fraction]]) -> dict[str, tuple[str, Fraction]]:
    """Return the units by small letters, if only one is written that way: "KG" and "Km" are read, "mw" is not."""
    found = dict[str, set[tuple[str, Fraction]]]()
    for name, unit in units.items():
        if len(name) > 1:
            found.setdefault(name.casefold(), set()).add(unit)
    return {folded: next(iter(same)) for folded, same in found.items() if len(same) == 1}


UNITS = _list_units()
FOLDED = _fold(UNITS)


@lru_cache(maxsize=2000)
def parse_unit(text: str) -> Unit | None:
    """Return the unit that the whole text names, `NONE` for an empty text; None if it names no unit."""
    text = NO_UNIT.sub("", text).strip()
    for pattern, replacement in POWER_WORDS:
        text = pattern.sub(replacement, text)
    text = COMPOUND.get(text, text).strip(" .")
    if not text:
        return NONE
    return _parse_product(text) or _parse_noun(text)


def _parse_product(text: str) -> Unit | None:
    """Parse known units with their powers: "kg*m/s^2"."""
    powers, factor, position, sign = dict[str, int](), Fraction(1), 0, 1
    while position < len(text):
        match = PIECE.match(text, position)
        unit = match and _find(match[1])
        if not match or not unit:
            return None
        power = sign * int(match[2] or 1)
        powers[unit[0]] = powers.get(unit[0], 0) + power
        factor *= unit[1] ** power
        position = match.end()
        joint = re.compile(r"\s*([*/])\s*|[ -](?=\S)").match(text, position)
        if not joint and position < len(text):
            return None
        sign = -1 if joint and joint[1] == "/" else sign
        position = joint.end() if joint else position
    return Unit(tuple(sorted(item for item in powers.items() if item[1])), factor)


def _parse_noun(text: str) -> Unit | None:
    if not NOUNS.fullmatch(text) or NO_NOUNS & set(text.split()):
        return None
    return Unit(((f"noun {_singular(text.rsplit(maxsplit=1)[-1])}", 1),), is_known=False)


def _find(name: str) -> tuple[str, Fraction] | None:
    for each in (name, name.rstrip("."), name.removesuffix("s")):
        found = UNITS.get(each) or FOLDED.get(each.casefold())
        if found and each:
            return found
    return None


def _singular(noun: str) -> str:
    return noun[:-2] if noun.endswith(("ches", "shes", "xes", "sses")) else noun.removesuffix("s")
