"""What an endpoint's list of models says about a name that is not in it: a mistake, or a name that it knows all the same.

Many endpoints answer to names that they do not list: aliases, dated snapshots, variants (`:free`), fine-tuned models, adapters
that are loaded on demand, deployments. Some take any name. A name is therefore called a mistake only if it is

- a listed name with one letter wrong, missing, added or swapped, at any endpoint but a gateway;
- one of the same kind as two listed names, with other numbers (`llama-7b` beside `llama-8b` and `llama-70b`), on this machine
  or network, where a list is usually made from what is served;
- a listed name in another spelling, with another owner or other numbers, at vLLM and Ollama, which answer to nothing else.

In every other case the first question will tell.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

# The `owned_by` of servers that list every name they answer to.
EXACT_OWNERS = {"vllm", "library"}
# Of servers that answer to any name: llama.cpp, its Python binding, SGLang, LM Studio.
CARELESS_OWNERS = {"llamacpp", "me", "sglang", "organization_owner", "organization-owner"}
OPENAI_HOST, AZURE_DOMAIN = "api.openai.com", ".azure.com"
# Names of models, or parts of them, that are one letter away from others: no misspelling.
REAL_WORDS = {"mistral", "mixtral", "code", "coder", "vision", "think"}
# A longer number is a date, and a snapshot of another date may well exist.
LONGEST_VERSION = 3
MOST_NAMES = 3
SHORTEST_WORD = 4


@dataclass(frozen=True)
class ListedModel:
    """An entry of the answer to `GET /models`."""

    name: str
    """Its `id`."""
    owner: str = ""
    """Its `owned_by`; empty if it names none."""


def is_listed(name: str, models: Sequence[ListedModel]) -> bool:
    """Return True if the list names the model, also as Gemini (`models/…`), Ollama (`…:latest`) or a pattern (`openai/*`)."""
    patterns = [model.name for model in models if "*" in model.name]
    is_named = _strip(name) in {_strip(model.name) for model in models}
    return is_named or any(fnmatchcase(name, pattern) for pattern in patterns)


def find_meant(name: str, models: Sequence[ListedModel], base_url: str) -> str | None:
    """Return the listed name that was meant, if an unlisted one is a mistake beyond doubt; None in case of doubt."""
    owners = {model.owner for model in models}
    listed = [model.name for model in models]
    if owners & CARELESS_OWNERS or (not owners <= EXACT_OWNERS and _is_gateway(models, base_url)):
        return None
    found = [each for each in listed if _is_misspelt(name, each)]
    if not found and owners <= EXACT_OWNERS:
        found = [each for each in listed if _is_same_but_spelling(name, each) or _has_other_numbers(name, each)]
    elif not found and _is_near(base_url) and not any(_is_variant(name, each) for each in listed):
        of_its_kind = [each for each in listed if _has_other_numbers(name, each)]
        found = of_its_kind if len(of_its_kind) > 1 else []
    return next(iter(get_close_matches(name, found, n=1, cutoff=0.0)), None)


def find_nearest(name: str, models: Sequence[ListedModel]) -> str | None:
    """Return the listed name that is most like the name, if one is much like it."""
    return next(iter(get_close_matches(name, [model.name for model in models], n=1)), None)


def find_other_model(name: str, models: Sequence[ListedModel], reference: Sequence[ListedModel]) -> str | None:
    """Return which models an address serves, if these are beyond doubt others than the one with this name.

    Args:
        name: the model's name, as it is asked for.
        models: what the address lists; what lists nothing is never another.
        reference: what another address lists, which does serve the model.
    """
    if not models or is_listed(name, models):
        return None
    lists_all = {model.owner for model in models} <= EXACT_OWNERS
    shared = {_strip(model.name) for model in models} & {_strip(model.name) for model in reference}
    if is_listed(name, reference) or (reference and not shared) or (not reference and lists_all):
        return ", ".join(repr(model.name) for model in models[:MOST_NAMES]) + (" and more" if len(models) > MOST_NAMES else "")
    return None


def _is_gateway(models: Sequence[ListedModel], base_url: str) -> bool:
    """Return True if the endpoint passes requests on to others, whose names it need not list."""
    host = urlsplit(base_url).hostname or ""
    makers = {model.name.partition("/")[0] for model in models if "/" in model.name.removeprefix("models/")}
    return (
        len(makers) > 1
        or any("*" in model.name or model.name.startswith("argo:") for model in models)
        or (host != OPENAI_HOST and any(model.owner == "openai" for model in models))
        or host.endswith(AZURE_DOMAIN)
    )


def _is_near(base_url: str) -> bool:
    """Return True if the address is on this machine or in a private network."""
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost"


def _strip(name: str) -> str:
    return name.removeprefix("models/").removesuffix(":latest")


def _split(name: str) -> list[str]:
    """Return the name's words and numbers, without case: `gpt-4o` is gpt, 4, o."""
    return re.findall(r"[^\W\d_]+|\d+", name.lower())


def _is_misspelt(name: str, listed: str) -> bool:
    """Return True if one word of the two names differs by one letter, or by two neighbours that are swapped."""
    differing = _list_differing(name, listed)
    if differing is None or len(differing) != 1:
        return False
    [(word, meant)] = differing
    is_word = word.isalpha() and meant.isalpha() and max(len(word), len(meant)) >= SHORTEST_WORD
    return is_word and word not in REAL_WORDS and _is_one_slip(word, meant)


def _has_other_numbers(name: str, listed: str) -> bool:
    """Return True if the two names differ only in numbers that are too short to be dates."""
    differing = _list_differing(name, listed)
    if not differing:
        return False
    return all(part.isdigit() and len(part) <= LONGEST_VERSION for pair in differing for part in pair)


def _is_same_but_spelling(name: str, listed: str) -> bool:
    """Return True if the names are the same but for case, signs, the owner in front, or an end that is left out."""
    spellings, known = ({"".join(_split(part)) for part in (each, each.rpartition("/")[2])} for each in (name, listed))
    given = _split(name)
    return bool(spellings & known) or given == _split(listed)[: len(given)]


def _is_variant(name: str, listed: str) -> bool:
    """Return True if one name is the beginning of the other: an alias, a snapshot, a variant."""
    given, known = _split(name), _split(listed)
    shared = min(len(given), len(known))
    return given[:shared] == known[:shared]


def _list_differing(name: str, listed: str) -> list[tuple[str, str]] | None:
    """Return the pairs of parts that differ; None if the names have not the same number of parts."""
    given, known = _split(name), _split(listed)
    if len(given) != len(known):
        return None
    return [pair for pair in zip(given, known, strict=True) if pair[0] != pair[1]]


def _is_one_slip(word: str, meant: str) -> bool:
    """Return True if one letter is wrong, missing or added, or two neighbours are swapped."""
    start = next((i for i, (a, b) in enumerate(zip(word, meant, strict=False)) if a != b), min(len(word), len(meant)))
    rest, meant_rest = word[start:], meant[start:]
    slips = (rest[1:] == meant_rest[1:], rest[1:] == meant_rest, rest == meant_rest[1:])
    return any(slips) or (rest[:2] == meant_rest[:2][::-1] and rest[2:] == meant_rest[2:])
