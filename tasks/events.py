"""The events that Prefect's automations can act on: how an evaluation ended, and what became of its accuracy.

| event | when |
|---|---|
| `mcqa.evaluation.finished` | every question is scored or refused |
| `mcqa.evaluation.unfinished` | questions are left, or nothing was scored |
| `mcqa.accuracy.dropped` | a recurring run is below its evaluation's baseline beyond doubt |
| `mcqa.accuracy.under` | the accuracy, or its interval's lower end, is under what `fail_under` demands |

They are sent in the background by Prefect's own worker, which neither delays a run nor fails it if the server has gone.
"""

from pathlib import Path

from prefect.events import emit_event
from prefect.runtime import flow_run
from slugify import slugify

from tasks.evaluation.config.config import Config
from tasks.evaluation.history.against import Against
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.reporting.summary import compute_statistics
from tasks.evaluation.run.gates import check_gates
from tasks.evaluation.run.outcome import explain_no_score, explain_unscored
from tasks.evaluation.run.run import Run
from tasks.evaluation.statistics.summary import Statistics
from tasks.run_pages import find_run_page

FINISHED, UNFINISHED = "mcqa.evaluation.finished", "mcqa.evaluation.unfinished"
DROPPED, UNDER = "mcqa.accuracy.dropped", "mcqa.accuracy.under"


def announce(run: Run, *, is_recurring: bool, failure: str = "") -> None:
    """Send the events of a run that has ended.

    Args:
        run: the run.
        is_recurring: whether a drop below the baseline is an alarm.
        failure: why the run ended early; empty if it went through to its end.
    """
    statistics = compute_statistics(run.ledger)
    reason = failure or _explain_unfinished(run, statistics)
    standing = run.standing
    if reason:
        _emit(run, UNFINISHED, statistics, reason)
        return
    _emit(run, FINISHED, statistics, f"Accuracy {statistics.overall}", standing.previous if standing else None)
    if is_recurring and standing and standing.baseline and standing.has_dropped:
        _emit(run, DROPPED, statistics, standing.baseline.sentence, standing.baseline)
    failed = [gate.message for gate in check_gates(run) if not gate.is_passed]
    if failed:
        _emit(run, UNDER, statistics, "; ".join(failed), standing.previous if standing else None)


def describe_resource(config: Config) -> dict[str, str]:
    """Return what the events are about: the evaluation of these questions with this model."""
    questions, model = Path(config.questions_file).name, config.model.generator_settings.model
    slugs = [slugify(name) or "unnamed" for name in (Path(questions).stem, model)]
    return {
        "prefect.resource.id": ".".join(["mcqa.evaluation", *slugs]),
        "prefect.resource.name": f"{questions} {model}",
        "mcqa.questions": questions,
        "mcqa.model": model,
    }


def describe_run(run: Run, statistics: Statistics, message: str, against: Against | None = None) -> JsonObject:
    """Return what the events tell, of which nothing is a secret: numbers, names, the results' folder, and a sentence.

    Args:
        run: the run.
        statistics: its statistics.
        message: the sentence.
        against: what it is held against; None: nothing.
    """
    overall = statistics.overall
    compared = against.to_json() if against else {}
    run_id = str(flow_run.id)
    return {
        "accuracy": overall.accuracy if overall else None,
        "interval": [overall.interval.low, overall.interval.high] if overall and overall.interval else None,
        "n": overall.count if overall else 0,
        "refused": statistics.refused,
        "unscored": statistics.unscored,
        "difference": compared.get("difference"),
        "difference_interval": compared.get("interval"),
        "p": compared.get("p"),
        "compared_with": compared.get("runs", []),
        "message": message,
        "questions_file": run.config.questions_file,
        "model": run.config.model.generator_settings.model,
        "run": run.metadata.name,
        "run_id": run_id,
        "run_url": find_run_page(run_id),
        "results": str(run.standing.run.saved.path.resolve()) if run.standing else None,
    }


def _explain_unfinished(run: Run, statistics: Statistics) -> str:
    """Return why a run that came to its end is not finished; empty if it is."""
    total = len(run.ledger.questions)
    if statistics.unscored:
        return f"{statistics.unscored:,} of {total:,} questions not scored: {explain_unscored(run)}"
    return "" if statistics.overall else f"0 of {total:,} questions scored: {explain_no_score(run)}"


def _emit(run: Run, event: str, statistics: Statistics, message: str, against: Against | None = None) -> None:
    payload = describe_run(run, statistics, message, against)
    emit_event(event, describe_resource(run.config), payload=payload)
