"""What keeps the comparison of two runs from being one of their models: other questions, another prompt, grader or sample."""

import json
from collections.abc import Iterator, Sequence

import numpy as np

from tasks.evaluation.comparing.columns import RunColumns
from tasks.evaluation.comparing.run_figures import ComparedRun
from tasks.evaluation.config.rag_settings import retrieves
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.reporting.saved_runs import SavedRun, read_setting

# What the original scorer sends without a context, as did mcqa-flow before there was a choice.
QUESTION_ALONE: JsonObject = {"mc": "{question}", "qa": "{question}", "system": None}
# What names the file that holds only the questions that were answered wrong.
WRONG_ANSWERS = "_incorrect_"
PROMPT_PARTS = ("mc", "qa", "system")
NO_CONTEXT = "without a context"


def list_doubts(
    runs: Sequence[SavedRun], columns: Sequence[RunColumns], figures: Sequence[ComparedRun], shared: Sequence[Sequence[int]]
) -> list[str]:
    """Return a sentence for each reason why the runs differ in more than their models; each is held against the first.

    Args:
        runs: the runs.
        columns: their scores.
        figures: their figures.
        shared: how many scored questions each run has in common with each.
    """
    doubts = [doubt for each in zip(runs, figures, columns, strict=True) for doubt in _doubt_run(*each)]
    for place in range(1, len(runs)):
        doubts += _doubt_questions(figures[0], figures[place], shared[0][place])
        doubts += _doubt_settings(runs[0], runs[place])
    return doubts


def has_same_selection(a: ComparedRun, b: ComparedRun, shared: int) -> bool:
    """Return True if the runs may have selected the same questions: what only one has scored is missing in the other."""
    only_a, only_b = count_foreign(a, b, shared)
    return a.selected == b.selected and not only_a and not only_b


def count_foreign(a: ComparedRun, b: ComparedRun, shared: int) -> tuple[int, int]:
    """Return how many questions of each the other did not select: it scored less than that many would need."""
    return max(a.scored - shared - b.missing_count, 0), max(b.scored - shared - a.missing_count, 0)


def _doubt_run(saved: SavedRun, run: ComparedRun, columns: RunColumns) -> Iterator[str]:
    counted = read_setting(saved.metadata, "statistics", "scored")
    if WRONG_ANSWERS in saved.path.name or (isinstance(counted, int) and counted > run.scored):
        of = f" of {counted:,}" if isinstance(counted, int) else ""
        yield f"not a whole run: {run.name} holds {run.scored:,}{of} scored questions, as a file of wrong answers does"
    elif run.unscored:
        yield f"unfinished: {run.unscored:,} of the {run.selected:,} questions of {run.name} are not scored yet"
    repeated = len(columns) - len(np.unique(columns.question_ids))
    if repeated:
        yield f"damaged: {repeated:,} records of {run.name} have the number of another one; no run writes such a file"


def _doubt_questions(a: ComparedRun, b: ComparedRun, shared: int) -> Iterator[str]:
    only_a, only_b = count_foreign(a, b, shared)
    if only_a or only_b:
        yield (
            f"other questions: {only_a:,} that {a.name} has scored are not among those of {b.name}, "
            f"and {only_b:,} of {b.name} not among those of {a.name}"
        )


def _doubt_settings(a: SavedRun, b: SavedRun) -> Iterator[str]:
    if _is_same_file(a, b):
        yield f"the same file: {a.name} and {b.name}"
    contexts, retrievals = zip(*((describe_context(run), _read_retrieval(run)) for run in (a, b)), strict=True)
    others = [name for name in {**retrievals[0], **retrievals[1]} if retrievals[0].get(name) != retrievals[1].get(name)]
    if contexts[0] != contexts[1]:
        yield f"another context: each question of {a.name} was asked {contexts[0]}, of {b.name} {contexts[1]}"
    elif others:
        yield f"another context: {a.name} and {b.name} differ in what is retrieved ({', '.join(others)})"
    prompts = [_read_prompt(run, is_bare=contexts[0] != contexts[1]) for run in (a, b)]
    parts = [part for part in PROMPT_PARTS if prompts[0].get(part) != prompts[1].get(part)]
    if parts:
        yield f"another prompt: {a.name} and {b.name} were not asked in the same words ({', '.join(parts)})"
    if _identify_grading(a, b) != _identify_grading(b, a):
        yield f"other grading: {a.name} is graded {describe_grading(a)}, {b.name} {describe_grading(b)}"
    samples = [_describe_sample(run) for run in (a, b)]
    if samples[0] != samples[1]:
        yield f"another sample: {a.name} was asked {samples[0]}, {b.name} {samples[1]}"


def describe_grading(run: SavedRun) -> str:
    """Return how the run's answers were graded, as the end of `was graded`."""
    if read_setting(run.config, "grading") == "logprobs":
        return "by the first token's probabilities"
    model = read_setting(run.provenance.settings, "grader", "model") or _read_grader(run)
    return f"by the model {model}" if model else "by what is read from the answer"


def describe_context(run: SavedRun) -> str:
    """Return what was put before each of the run's questions, as the end of `was asked`."""
    rag = read_setting(run.config, "rag")
    rag = rag if isinstance(rag, dict) and rag.get("enabled", True) else {}
    parts = ["with its own context"] if rag.get("use_context_field") else []
    if retrieves(rag):
        retriever = rag.get("retriever_config")
        faiss = retriever.get("faiss_config") if isinstance(retriever, dict) else None
        paths = (faiss.get("dataset_chunk_paths") or [faiss.get("dataset_dir")]) if isinstance(faiss, dict) else []
        corpus = ", ".join(map(str, paths)) if isinstance(paths, list) else ""
        parts.append(f"with {rag.get('retrieval_top_k', 5)} chunks from {corpus or 'a corpus'}")
    return " or ".join(parts) or NO_CONTEXT


def _read_retrieval(run: SavedRun) -> JsonObject:
    """Return what decides which chunks are retrieved; empty without retrieval, and where the file does not record it."""
    retrieval = run.provenance.settings.get("retrieval")
    return retrieval if isinstance(retrieval, dict) else {}


def _identify_grading(run: SavedRun, other: SavedRun) -> str:
    """Return what tells the run's grading from the other's: the grader's whole request, if both files record it."""
    requests = [each.provenance.settings.get("grader") for each in (run, other)]
    grader = requests[0] if all(requests) else _read_grader(run)
    return json.dumps([read_setting(run.config, "grading") or "auto", grader], sort_keys=True)


def _read_grader(run: SavedRun) -> JsonValue:
    return read_setting(run.config, "model", "grader_shortname") or None


def _read_prompt(run: SavedRun, *, is_bare: bool) -> JsonObject:
    """Return the words in which the run's questions were asked; as the settings have them, if contexts differ anyway."""
    prompt = read_setting(run.metadata, "evaluation_metadata", "prompt")
    if is_bare and isinstance(run.config.get("prompt"), dict):
        prompt = run.config["prompt"]
    return prompt if isinstance(prompt, dict) else QUESTION_ALONE


def _describe_sample(run: SavedRun) -> str:
    chosen = run.provenance.selection
    size = chosen.random_selection or read_setting(run.config, "processing", "random_selection")
    seed = chosen.random_seed if chosen.random_seed is not None else read_setting(run.config, "processing", "random_seed")
    limit = chosen.limit or read_setting(run.config, "processing", "limit")
    of_sample = f"a random sample of {size} questions (seed {seed})" if size else "the questions in the file's order"
    taken = f"the first {limit} of {of_sample}" if limit else of_sample
    return f"shard {chosen.shard} of {taken}" if chosen.shard else taken


def _is_same_file(a: SavedRun, b: SavedRun) -> bool:
    try:
        return a.path.samefile(b.path)
    except OSError:
        return False
