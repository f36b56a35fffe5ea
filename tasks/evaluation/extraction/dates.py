"""Dates and times of the day, as short answers give them: "July 4, 1776", "4 July 1776", "1776-07-04", "9:30 p.m."."""

import re
from dataclasses import dataclass
from functools import lru_cache

# fmt: off
MONTHS = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
]
# fmt: on
MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec|" + "|".join(MONTHS) + r")\.?"
DAY, YEAR = r"(?:the )?(?P<day>\d{1,2})(?:st|nd|rd|th)?", r"(?P<year>\d{3,4})"
WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,? )?"
DATES = tuple(
    re.compile(WEEKDAY + pattern, re.IGNORECASE)
    for pattern in (
        rf"{MONTH} {DAY}(?:,? (?:of |in )?{YEAR})?",
        rf"{DAY} (?:of )?{MONTH}(?:,? (?:of |in )?{YEAR})?",
        rf"{MONTH}(?: of|,)? {YEAR}",
        r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})",
    )
)
TIME = re.compile(
    r"(?:at )?(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?(?::(?P<second>\d{2}))? ?(?P<half>[ap]\.?m\b\.?)?", re.IGNORECASE
)
NOON = 12


@dataclass(frozen=True)
class Moment:
    """A date or a time of the day; None for each part that is not stated.

    `is_sure` is False for a time that may be before noon or after it.
    """

    year: int | None = None
    month: int | None = None
    day: int | None = None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None
    is_sure: bool = True


@lru_cache(maxsize=256)  # the readings of one answer meet the same reference
def parse_moment(text: str) -> Moment | None:
    """Return the date or the time that the whole text states; None if it states anything else."""
    text = text.strip(" .,")
    if not any(character.isdecimal() for character in text[:40]):
        return None
    for pattern in DATES:
        if match := pattern.fullmatch(text):
            return _read_date(match.groupdict())
    match = TIME.fullmatch(text) or TIME.fullmatch(text + ".")
    return _read_time(match) if match and (match["minute"] or match["half"]) else None


def _read_date(parts: dict[str, str | None]) -> Moment | None:
    month, day, year = parts["month"] or "", parts.get("day"), parts.get("year")
    number = int(month) if month.isdecimal() else 1 + [name[:3] for name in MONTHS].index(month[:3].casefold())
    return Moment(year=int(year) if year else None, month=number, day=int(day) if day else None)


def _read_time(match: re.Match[str]) -> Moment | None:
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    half = (match["half"] or "").casefold()[:1]
    if half:
        hour = hour % NOON + (NOON if half == "p" else 0)
    return Moment(hour=hour, minute=minute, second=int(match["second"] or 0), is_sure=bool(half) or hour > NOON or hour == 0)
