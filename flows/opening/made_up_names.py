"""Names that Prefect makes up for runs which nobody has named. Nothing in a run tells these from typed ones but their words.

    placid-otter       Prefect's server and client, from the words of the package coolname
    Tasty-Crab         the run form of the UI, version 2
    gamma3-vega-q      the run form of the UI, version 1

A name counts as made up only if all its words are in the lists from which Prefect draws them. The forms' lists are read from
the UI's own scripts, in the installed Prefect. Where they are not found there, a name is kept.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import prefect
from coolname.data import config as coolname_config

PRAISE = (
    "Awesome|Ergonomic|Fantastic|Generic|Gorgeous|Handcrafted|Handmade|Incredible|Intelligent|Licensed|Practical|Refined|"
    "Rustic|Sleek|Small|Tasty|Unbranded"
)
GREEK = (
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|omicron|pi|rho|sigma|tau|upsilon|phi|chi|psi|"
    "omega"
)
OF_FORM_1 = re.compile(rf"(?:{GREEK})\d*-(.+)")
OF_FORM_2 = re.compile(rf"(?:{PRAISE})-(.{{1,6}})")
# The first and the last word of the lists in the scripts, which stand there in one piece.
STARS, REGIONS, ANIMALS = ("andromedae", "zuvan"), ("adjunct", "warp"), ("Aardvark", "Zorse")
# As installed: a server serves copies of them, which are made where one is first started, often on another machine.
SCRIPTS_1, SCRIPTS_2 = prefect.__ui_static_path__, prefect.__ui_v2_static_path__


def is_made_up(name: str) -> bool:
    """Return True if Prefect has made the name up."""
    if of_form := OF_FORM_1.fullmatch(name):
        return _is_place(of_form[1])
    if of_form := OF_FORM_2.fullmatch(name):
        return of_form[1] in _read_list(SCRIPTS_2, ANIMALS)
    adjective, _, noun = name.partition("-")
    return adjective in _list_words("adj_any") and noun in _list_words("subj")


def _is_place(words: str) -> bool:
    """Return True for a star, and for a star with a letter or a region after it."""
    stars = _read_list(SCRIPTS_1, STARS)
    star, _, region = words.rpartition("-")
    return words in stars or (star in stars and (len(region) == 1 or region in _read_list(SCRIPTS_1, REGIONS)))


@cache
def _list_words(kind: str) -> frozenset[str]:
    """Return the words of coolname's list, and of those that it consists of."""
    described = coolname_config[kind]
    assert isinstance(described, Mapping)
    parts = [_list_words(part) for part in described.get("lists", ())]
    return frozenset(described.get("words", ())).union(*parts)


@cache
def _read_list(scripts: Path, ends: tuple[str, str]) -> frozenset[str]:
    """Return the words that stand in a script of the UI from the first to the last, in quotes or with dots between them."""
    first, last = ends
    for path in sorted((scripts / "assets").glob("*.js")):
        text = path.read_text(encoding="utf-8", errors="replace")
        begin = text.find(first)
        end = text.find(last, max(begin, 0))
        if 0 <= begin < end:
            return frozenset(re.split(r"[.,`'\"]+", text[begin : end + len(last)]))
    return frozenset()
