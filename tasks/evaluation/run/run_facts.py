"""What a run was, in words for people: its model, questions, prompt and grader, its time and its cost."""

from collections.abc import Mapping
from datetime import timedelta

from tasks.evaluation.config.prompt_settings import BUILT_IN, Prompt
from tasks.evaluation.reporting.summary import compute_accuracy
from tasks.evaluation.run.run import Run
from tasks.evaluation.spending.tokens import describe_sums

OWN_WORDS = "in words of its own"


def list_facts(run: Run, changes: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """Return the facts by their names, in the order in which people ask for them.

    Args:
        run: the run, at its end.
        changes: the settings that are not from the configuration file, under what is to be said of them.
    """
    request, started_at = run.endpoints[0].request, run.metadata.started_at
    facts = {
        "Model": str(request["model"]),
        "Temperature": _name(request.get("temperature")),
        "Longest answer": f"{_name(request.get('max_tokens'))} tokens",
        "Questions": _describe_questions(run),
        "Digest of the questions": run.preparation.describe_selection().digest or "",
        "Prompt": _describe_prompt(run.config.prompt),
        "Grader": _describe_grader(run),
        "Asked": _describe_repeats(run.config.processing.repeats),
        "Settings": run.metadata.config_file or "from the parameters alone",
        **{title: ", ".join(f"{name}: {value}" for name, value in settings.items()) for title, settings in changes.items()},
        "Started": f"{started_at:%Y-%m-%d %H:%M}, took {describe_time(run.factories.now() - started_at)}",
        "Finished": _describe_progress(run),
        "Tokens, this run": describe_sums(run.paid),
        "Tokens, all results": describe_sums(run.ledger.usage.add_up_tokens()),
        **run.metadata.report_cost(compute_accuracy(run.ledger)).describe(),
    }
    return {name: text for name, text in facts.items() if text}


def list_own_prompts(prompt: Prompt) -> dict[str, str]:
    """Return the words of the prompts that are no built-in ones, by what they ask."""
    texts = {"System message": prompt.system, "Multiple choice": prompt.mc, "Short answers": prompt.qa}
    built_in = {"Multiple choice": BUILT_IN["mc"], "Short answers": BUILT_IN["qa"]}
    return {name: text for name, text in texts.items() if text and text not in built_in.get(name, ())}


def _describe_questions(run: Run) -> str:
    selection = run.preparation.describe_selection()
    shown, count = f"{selection.questions_file}: {selection.file_count:,}", run.preparation.whole_count
    if selection.shard:
        shown = f"{len(run.ledger.questions):,} of shard {selection.shard}, from {shown}"
    if selection.file_count == count:
        return shown
    if selection.random_selection is not None:
        return f"{shown}, of which {count:,} were drawn at random with the seed {selection.random_seed}"
    return f"{shown}, of which the first {count:,}"


def _describe_prompt(prompt: Prompt) -> str:
    mc = prompt.mc if prompt.mc in BUILT_IN["mc"] else OWN_WORDS
    qa = prompt.qa if prompt.qa in BUILT_IN["qa"] else OWN_WORDS
    asked = str(mc) if mc == qa else f"{mc} for multiple choice, {qa} for short answers"
    return f"{asked}, after a system message" if prompt.system else asked


def _describe_grader(run: Run) -> str:
    grader, name = run.endpoints[1], run.config.model.grader_shortname
    if grader:
        return f"{grader.request['model']}, by the short name {name}"
    return "none: the likeliest first token counts" if run.config.grading == "logprobs" else "none: replies are read"


def _describe_repeats(repeats: int) -> str:
    return f"each question {repeats} times" if repeats > 1 else ""


def _describe_progress(run: Run) -> str:
    done, before = len(run.ledger.results), run.metadata.reused_count
    return f"{done:,} of {len(run.ledger.questions):,} questions: {before:,} before this run, {done - before:,} in it"


def describe_time(passed: timedelta) -> str:
    """Return how long something took, with the two units that matter."""
    minutes, seconds = divmod(round(passed.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _name(value: object) -> str:
    return "as the endpoint sets it" if value is None else f"{value:,}" if isinstance(value, int) else f"{value}"
