"""The settings that affect answers and grades, and how a checkpoint's differ from a run's.

Nothing is decided here: reuse follows from the ids (`identity`). This module explains the decision to the user.
"""

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.prompt_settings import Prompt
from tasks.evaluation.config.rag_settings import retrieves
from tasks.evaluation.config.secrets import mask_secrets
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.local_servers.weights import describe_weights
from tasks.evaluation.storage.checkpoint import Checkpoint
from tasks.evaluation.storage.provenance import SavedSelection

GENERATOR_SETTINGS = ("model", "temperature", "max_tokens", "extra", "revision")
# The settings that affect answers: the generator's, and these.
ANSWER_SETTINGS = (*GENERATOR_SETTINGS, "context", "retrieval", "weights", "prompt", "grading")
# The values for a file that does not hold them: one of the original script, or one of ours from before there was a choice.
BEFORE_PROMPTS: JsonObject = {"prompt": {"mc": "original", "qa": "original", "system": None}, "grading": "auto"}
# The original script's checkpoints name a corpus by its path, and not what it held.
UNKNOWN_CORPUS: JsonObject = {"corpus": "not recorded"}
BEFORE_REPEATS: JsonObject = {"repeats": 1}
RETRIEVED = "retrieved"
SELECTION_SETTINGS = ("questions_file", "random_selection", "random_seed", "limit", "shard")


def describe_settings(config: Config, grader: Endpoint | None, retrieval: JsonObject | None = None) -> JsonObject:
    """Return the settings that decide what is reused, as our checkpoints hold them: with every key masked.

    Args:
        config: the settings.
        grader: the grader.
        retrieval: what decides which chunks are retrieved; None without retrieval.

    Raises:
        UserMistake: the weights that they name do not exist.
    """
    described = mask_secrets({
        **_read_answer_settings(config.for_files()),
        "weights": describe_weights(config),
        "grader_shortname": config.model.grader_shortname,
        "grader": grader.request if grader else None,
        "question_format": config.processing.question_format,
        "clarify_answers": config.processing.clarify_answers,
        "repeats": config.processing.repeats,
        "fields": config.fields.model_dump(mode="json"),
        **({"retrieval": retrieval} if retrieval else {}),
    })  # fmt: skip
    assert isinstance(described, dict)
    return described


def list_differences(checkpoint: Checkpoint, settings: JsonObject) -> list[str]:
    """Return the settings that keep a run from reusing the checkpoint's answers, each with both values."""
    theirs = BEFORE_PROMPTS | (checkpoint.provenance.settings or _read_original(checkpoint.config))
    return [line for name in ANSWER_SETTINGS if name in theirs for line in _compare(name, theirs[name], settings.get(name))]


def read_prompt(checkpoint: Checkpoint) -> Prompt | None:
    """Return the prompt that the checkpoint's questions were asked with; None if the file holds no valid prompt."""
    settings = BEFORE_PROMPTS | (checkpoint.provenance.settings or _read_original(checkpoint.config))
    try:
        return Prompt.model_validate(settings["prompt"])
    except ValidationError:
        return None


def explain_misfit(checkpoint: Checkpoint, settings: JsonObject) -> list[str]:
    """Return the reasons, at least one, why a run with these settings uses nothing from the checkpoint."""
    differences = list_differences(checkpoint, settings)
    if differences:
        return differences
    if not checkpoint.completed_count:
        return ["it holds no results yet"]
    return ["none of its questions is asked by this run"]


def explain_change(checkpoint: Checkpoint, settings: JsonObject, selection: SavedSelection) -> list[str]:
    """Return the reasons, at least one, why a run is not the evaluation that the checkpoint belongs to.

    Args:
        checkpoint: one of ours.
        settings: the run's, as `describe_settings` returns them.
        selection: the run's questions, as its checkpoints describe them.
    """
    theirs, their_selection = BEFORE_REPEATS | checkpoint.provenance.settings, checkpoint.provenance.selection
    changed = [line for name in settings for line in _compare(name, theirs.get(name), settings[name])]
    for name in SELECTION_SETTINGS:
        changed += _compare(name, getattr(their_selection, name), getattr(selection, name))
    if selection.shard:  # which batches they are decides which questions these have
        changed += _compare("batch_size", their_selection.batch_size, selection.batch_size)
    is_same_selection = all(getattr(their_selection, name) == getattr(selection, name) for name in SELECTION_SETTINGS[1:])
    if is_same_selection and theirs.get("context") == settings["context"]:
        changed += _compare_questions(their_selection, selection)
    return changed or ["mcqa-flow itself asks or grades in different words here than there"]


def _compare(name: str, theirs: JsonValue, ours: JsonValue) -> Iterator[str]:
    """Yield a line for each value that differs; values in mappings are named by their path, and a missing one is None."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in {**theirs, **ours}:
            yield from _compare(f"{name}.{key}", theirs.get(key), ours.get(key))
    elif repr(theirs) != repr(ours):  # tells 1 from 1.0 and from True, as an id does
        yield f"{name} is {theirs!r} there and {ours!r} here"


def _compare_questions(theirs: SavedSelection, ours: SavedSelection) -> Iterator[str]:
    if theirs.file_count != ours.file_count:
        yield f"{ours.questions_file} held {theirs.file_count} questions there and holds {ours.file_count} here"
    elif theirs.digest != ours.digest:
        yield f"the questions or reference answers in {ours.questions_file}, or their order, differ from those there"


def _read_answer_settings(config: Mapping[str, JsonValue]) -> JsonObject:
    """Return the settings in a checkpoint's `config` that affect answers, as far as it holds them."""
    model, rag = config.get("model"), config.get("rag")
    settings = model.get("generator_settings") if isinstance(model, dict) else None
    found: JsonObject = {}
    if isinstance(settings, dict):
        found |= {name: settings[name] for name in GENERATOR_SETTINGS if name in settings}
    if isinstance(temperature := found.get("temperature"), int):
        found["temperature"] = float(temperature)  # as our own settings hold it
    if isinstance(rag, dict):
        found["context"] = _name_context(rag)
    return found | {name: config[name] for name in BEFORE_PROMPTS if name in config}


def _read_original(config: Mapping[str, JsonValue]) -> JsonObject:
    """Return the settings in a checkpoint of the original script that affect answers."""
    found = _read_answer_settings(config)
    return found | {"retrieval": UNKNOWN_CORPUS} if RETRIEVED in str(found.get("context")) else found


def _name_context(rag: Mapping[str, JsonValue]) -> str:
    if not rag.get("enabled", True):
        return "none"
    if rag.get("use_context_field"):
        return f"the question's text field{f', else {RETRIEVED}' if retrieves(rag) else ''}"
    return RETRIEVED if retrieves(rag) else "none"
