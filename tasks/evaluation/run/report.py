"""The report of a run: the results' files, and the lines that the user sees at its end."""

from pathlib import Path

from tasks.evaluation.endpoints.response_models import describe_other_models
from tasks.evaluation.endpoints.traffic import describe_latency
from tasks.evaluation.errors import StorageFailure, UserMistake
from tasks.evaluation.reporting.results_files import write_results
from tasks.evaluation.reporting.summary import compute_accuracy, compute_statistics, describe_statistics
from tasks.evaluation.run.gates import write_gates
from tasks.evaluation.run.place_in_history import hold_against_history
from tasks.evaluation.run.run import Run
from tasks.evaluation.spending.tokens import describe_sums

# A page of as many questions takes some 20 seconds of a processor and 50 MB of memory.
MOST_UNASKED = 200_000


def report(run: Run, written: dict[str, Path]) -> None:
    """Write the results' files, and show what the run has scored.

    Args:
        run: the run.
        written: takes the path of each file by its kind as soon as it is written, so that a failure hides none of them.

    Raises:
        StorageFailure: one cannot be written; those before it are.
    """
    notify = run.progress.notify
    written |= write_results(run.ledger, run.config, run.metadata.describe, run.factories.now())
    if run.saver.path:
        notify(f"✅ Final checkpoint saved with {len(run.ledger.results):,} total results")
    for line in describe_statistics(compute_statistics(run.ledger)):
        notify(line)
    if others := describe_other_models(run.ledger.usage.count_models()):
        notify(f"   {others}")
    report_tokens(run)
    for each in run.traffic:
        notify(f"   {each.url} ({each.role}): {each.requests:,} requests, {each.failures:,} failed, {describe_latency(each)}")
    notify(f"Results saved to {written['results']}")
    if "incorrect" in written:
        notify(f"Incorrect answers saved to {written['incorrect']}")
    run.saver.prune()
    written |= write_gates(run)
    write_formats(run, written)
    write_web_page(run, written)
    if run.config.processing.shard:
        return
    run.standing = hold_against_history(run, written["results"])


def write_formats(run: Run, written: dict[str, Path]) -> None:
    """Write the results in the formats that the settings list, beside the results.

    A format that cannot hold these results, such as one for scores alone without any score, is reported and left out.

    Raises:
        StorageFailure: one cannot be written.
    """
    if not run.config.output.formats:
        return
    from tasks.evaluation.exporting.exports import export_beside  # noqa: PLC0415 - what most runs do not need

    for to in run.config.output.formats:
        try:
            written[to] = export_beside(written["results"], to)
            run.progress.notify(f"Results saved as {to} to {written[to]}")
        except UserMistake as mistake:
            run.progress.notify(f"⚠️ Results not saved as {to}: {mistake}")


def write_web_page(run: Run, written: dict[str, Path], most_unasked: int = MOST_UNASKED) -> None:
    """Write the results as a web page beside them, if the settings ask for it or people look at the run in a browser.

    Args:
        run: the run.
        written: as for `report`.
        most_unasked: of how many questions a page is written that the settings do not ask for.

    Raises:
        StorageFailure: it cannot be written, and the settings ask for it.
    """
    asked, count = run.config.output.report, len(run.ledger.questions)
    if not (run.is_shown if asked is None else asked):
        return
    if asked is None and count > most_unasked:
        run.progress.notify(f"No web page of {count:,} questions, since output.report does not ask for one")
        return
    from tasks.evaluation.pages.page import write_page  # noqa: PLC0415 - imports Jinja2

    try:
        written["report"] = write_page(written["results"])
        run.progress.notify(f"Report saved to {written['report']}")
    except UserMistake as mistake:
        run.progress.notify(f"⚠️ No report: {mistake}")
    except StorageFailure as failure:
        if asked:
            raise
        run.progress.notify(f"⚠️ No report: {failure}")


def report_tokens(run: Run) -> None:
    """Show what this run has paid, and what all results have cost."""
    run.progress.notify(f"   Tokens, this run: {describe_sums(run.paid)}")
    run.progress.notify(f"   Tokens, all results: {describe_sums(run.ledger.usage.add_up_tokens())}")
    for name, amount in run.metadata.report_cost(compute_accuracy(run.ledger)).describe().items():
        run.progress.notify(f"   {name}: {amount}")
