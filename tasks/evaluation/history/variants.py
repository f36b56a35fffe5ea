"""What tells the evaluations of one model and one questions file apart: the settings that differ between them."""

from collections.abc import Iterator, Mapping, Sequence

from tasks.evaluation.history.past_runs import PastRun, name_selection
from tasks.evaluation.json_lines import JsonValue

# A name for the grader, of which `grader` holds all that counts, and where the questions come from, which is not what they are.
PASSED_OVER = ("grader_shortname", "fields")
SHOWN_SETTINGS = 3
LONGEST_VALUE = 24
SHORT_ID = 6


def describe_variants(runs: Sequence[PastRun]) -> dict[str, str]:
    """Return for each evaluation, by its history id, how it differs from others; empty for the only one of its kind."""
    latest = {run.history_id: run for run in runs}
    kinds: dict[tuple[str, str], list[PastRun]] = {}
    for run in latest.values():
        kinds.setdefault((run.saved.model, name_selection(run.saved.provenance.selection)), []).append(run)
    return {name: text for alike in kinds.values() for name, text in _tell_apart(alike).items()}


def _tell_apart(runs: Sequence[PastRun]) -> dict[str, str]:
    if len(runs) == 1:
        return {runs[0].history_id: ""}
    settings = {run.history_id: dict(_flatten(run)) for run in runs}
    names = dict.fromkeys(name for each in settings.values() for name in each)
    differing = [name for name in names if len({each.get(name, "none") for each in settings.values()}) > 1]
    texts = {key: _describe(each, differing[:SHOWN_SETTINGS]) for key, each in settings.items()}
    # What differs may stand in no setting, such as the version of mcqa-flow.
    return {key: text if list(texts.values()).count(text) == 1 else key[:SHORT_ID] for key, text in texts.items()}


def _describe(settings: Mapping[str, str], names: Sequence[str]) -> str:
    return ", ".join(f"{name} {settings.get(name, 'none')}" for name in names)


def _flatten(run: PastRun) -> Iterator[tuple[str, str]]:
    """Yield each setting under its path, with its value as a short text."""
    provenance = run.saved.provenance
    yield "questions", (provenance.selection.digest or "")[:SHORT_ID]
    yield from _flatten_values("", {key: value for key, value in provenance.settings.items() if key not in PASSED_OVER})


def _flatten_values(path: str, value: JsonValue) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from _flatten_values(f"{path}.{key}" if path else key, each)
        return
    text = "none" if value in (None, {}, []) else " ".join(str(value).split())
    yield path, text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
