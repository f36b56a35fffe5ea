"""A question's record as samples of an Inspect log: one for each time that it was asked.

Source: `EvalSample` and `EvalSampleSummary` of inspect-ai 0.3, log version 2.
"""

from collections.abc import Iterator, Mapping

from tasks.evaluation.exporting.questions import part_record
from tasks.evaluation.exporting.run_facts import list_repeats, read_object
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.questions.choices_in_text import LabelledText
from tasks.evaluation.questions.labels import LATIN
from tasks.evaluation.spending.usage import count_reasoning, is_count

SCORER = "mcqa"
STOP_REASONS = {"stop": "stop", "eos": "stop", "length": "max_tokens", "content_filter": "content_filter"}
# A summary is what a list shows of a sample: Inspect cuts its texts as well.
SUMMARY_CHARACTERS = 1_000
SUMMARY_ITEMS = 100
SUMMARY_DEPTH = 8
KEPT_IN_SUMMARIES = (
    "id",
    "epoch",
    "input",
    "choices",
    "target",
    "metadata",
    "scores",
    "model_usage",
    "role_usage",
    "total_time",
)


def build_samples(record: JsonObject, model: str, grader: str) -> Iterator[JsonObject]:
    """Yield the record's samples; repeats are epochs.

    Args:
        record: a question's record.
        model: the name of the model that was asked.
        grader: the grader's name.
    """
    parts = part_record(record)
    for epoch, each in enumerate(list_repeats(record), start=1):
        yield _build_sample(each, parts, (model, grader)) | {"epoch": epoch}


def summarize(sample: JsonObject) -> JsonObject:
    """Return the sample's summary, its texts cut."""
    error = read_object(sample, "error").get("message")
    messages = sample["messages"]
    kept = {name: _shorten(sample[name]) for name in KEPT_IN_SUMMARIES if name in sample}
    count = len(messages) if isinstance(messages, list) else 0
    return {**kept, **({"error": _shorten(error)} if error else {}), "completed": True, "message_count": count}


def _build_sample(record: JsonObject, parts: LabelledText, names: tuple[str, str]) -> JsonObject:
    model, grader = names
    answered = isinstance(record.get("model_answer"), str)
    usage, grading = (_convert_usage(read_object(read_object(record, "usage"), role)) for role in ("generator", "grader"))
    output = _build_output(record, model, usage) if answered else {"model": model, "choices": [], "usage": usage}
    question = str(record.get("question") or "")
    answers = [choice["message"] for choice in output["choices"]] if answered else []  # type: ignore[union-attr,index,call-overload]
    messages: list[JsonValue] = [{"role": "user", "content": question, "source": "input"}, *answers]
    times = [record.get(name) for name in ("model_time_seconds", "evaluation_time_seconds")]
    spent = sum(time for time in times if isinstance(time, int | float))
    sample: JsonObject = {
        "id": record["question_id"],
        "input": parts.stem or question,
        "choices": list(parts.choices.values()) or None,
        "target": _find_target(record, parts),
        "messages": messages if question else [],
        "output": output,
        "scores": _build_scores(record, parts),
        "metadata": {**read_object(record, "fields"), "mcqa": _describe(record)},
        "store": {},
        "events": [],
        "model_usage": _add_up({model: usage} if usage else {}, {grader: grading} if grading else {}),
        "role_usage": {"grader": grading} if grading else {},
        "total_time": spent,
        "working_time": spent,
        "attachments": {},
    }
    if record.get("skipped"):
        sample["error"] = {"message": str(record.get("error") or ""), "traceback": "", "traceback_ansi": ""}
    return sample


def _build_output(record: JsonObject, model: str, usage: JsonObject | None) -> JsonObject:
    text, reasoning = record["model_answer"], record.get("reasoning")
    content: JsonValue = text
    if isinstance(reasoning, str) and reasoning:
        content = [{"type": "reasoning", "reasoning": reasoning}, {"type": "text", "text": text}]
    answered_by = str(record.get("response_model") or model)
    message: JsonObject = {"role": "assistant", "content": content, "source": "generate", "model": answered_by}
    stop = STOP_REASONS.get(str(record.get("finish_reason")), "unknown")
    logprobs = read_object(record, "token_logprobs")
    return {
        "model": answered_by,
        "choices": [{"message": message, "stop_reason": stop}],
        "completion": text,
        "usage": usage,
        "time": record.get("model_time_seconds"),
        "metadata": {"token_logprobs": logprobs} if logprobs else None,
    }


def _build_scores(record: JsonObject, parts: LabelledText) -> JsonObject | None:
    if record.get("skipped"):
        return None
    evaluation = read_object(record, "evaluation")
    shown = ("score", "reasoning", "model_choice")
    answer = evaluation.get("model_choice")
    if answer is None:
        answer = record.get("model_answer")
    score: JsonObject = {
        "value": record["score"],
        "answer": None if answer is None else _letter(str(answer), parts),
        "explanation": str(evaluation.get("reasoning") or ""),
        "metadata": {name: value for name, value in evaluation.items() if name not in shown},
    }
    return {SCORER: score}


def _find_target(record: JsonObject, parts: LabelledText) -> JsonValue:
    """Return the right choice's letter, several as a list; the reference's text where it names none."""
    reference = str(record.get("reference_answer") or "")
    choice = read_object(record, "evaluation").get("reference_choice")
    labels = [label.strip() for label in str(choice).split(",")] if choice is not None else []
    if not parts.choices or not labels or not set(labels) <= set(parts.choices):
        return reference
    letters: list[JsonValue] = [_letter(label, parts) for label in labels]
    return letters[0] if len(letters) == 1 else letters


def _letter(label: str, parts: LabelledText) -> str:
    """Return the letter that Inspect gives a choice, which is by its place; any other text as it is."""
    return dict(zip(parts.choices, LATIN, strict=False)).get(label, label)


def _describe(record: JsonObject) -> JsonObject:
    """Return what a sample has no member for."""
    names = ("format", "reference_answer", "answer_id", "score_id", "finish_reason", "order")
    return {name: record[name] for name in names if record.get(name) is not None}


def _convert_usage(counts: JsonObject) -> JsonObject | None:
    """Return the token counts in Inspect's form, where those from a cache are apart; None without counts."""
    if not counts:
        return None
    prompt, completion, total = (
        count if is_count(count) else 0
        for count in (counts.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
    )
    cached = read_object(counts, "prompt_tokens_details").get("cached_tokens")
    cached = min(cached, prompt) if is_count(cached) else 0
    usage: JsonObject = {
        "input_tokens": prompt - cached,
        "output_tokens": completion,
        "total_tokens": total or prompt + completion,
    }
    if cached:
        usage["input_tokens_cache_read"] = cached
    reasoning = count_reasoning(counts)
    return {**usage, "reasoning_tokens": reasoning} if reasoning else usage


def _add_up(one: Mapping[str, JsonValue], other: Mapping[str, JsonValue]) -> JsonObject:
    """Return the usages of both by model; a model may be its own grader."""
    return {name: add_counts(read_object(dict(one), name), read_object(dict(other), name)) for name in {**one, **other}}


def add_counts(one: JsonObject, other: JsonObject) -> JsonObject:
    """Return the sums of the counts in two usages."""
    values = ((name, (one.get(name), other.get(name))) for name in {**one, **other})
    return {name: sum(count for count in pair if isinstance(count, int)) for name, pair in values}


def _shorten(value: JsonValue, depth: int = 0) -> JsonValue:
    """Return the value with its long texts and lists cut; what lies deeper than a list of samples shows is left out."""
    if isinstance(value, str):
        return value if len(value) <= SUMMARY_CHARACTERS else value[:SUMMARY_CHARACTERS] + "…"
    if isinstance(value, dict | list) and depth == SUMMARY_DEPTH:
        return None
    if isinstance(value, dict):
        return {name: _shorten(each, depth + 1) for name, each in value.items()}
    return [_shorten(each, depth + 1) for each in value[:SUMMARY_ITEMS]] if isinstance(value, list) else value
