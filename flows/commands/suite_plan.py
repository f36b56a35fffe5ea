"""What `mcqa suite` does with a suite file: it checks all cells, and runs the flow or shows what it would do."""

import os
from collections.abc import Mapping, Sequence

from flows.commands.scoring import prepare_prefect
from flows.commands.sections import Section, Table, to_terminal
from flows.process.terminal import EXIT_DONE, print_line
from flows.serving.temporary_server import TemporaryServer
from tasks.evaluation.config.keys import NO_KEY, KeyReader
from tasks.evaluation.config.overrides import Caps
from tasks.evaluation.config.suite_file import read_suite
from tasks.evaluation.spending.costs import format_dollars
from tasks.evaluation.spending.tokens import Role, TokenSum
from tasks.evaluation.suites.outlook import describe_budget
from tasks.evaluation.suites.plan import CellPlan, plan_suite

TEXTS = frozenset({"cell"})
ROLES: tuple[Role, ...] = ("generator", "grader")
UNKNOWN = "unknown"
NO_WORKERS = (
    "{suite}: workers take cells from a Prefect server, and none is named: start mcqa serve in this folder, set "
    "PREFECT_API_URL to its address, such as http://127.0.0.1:4200/api, and call this command again. Or leave out `on`: then "
    "the cells run in this process"
)


def run_cells(suite_file: str, given: Mapping[str, object], baseline: str | None, server: TemporaryServer | None) -> int:
    """Run the cells of the suite that are not finished; return the exit code.

    Args:
        suite_file: the suite file's path.
        given: caps of the budget, in place of those in the file.
        baseline: what no cell may be worse than; None: what the file says.
        server: a Prefect server that has been started in case that no other is set up; None: none was started.

    Raises:
        UserMistake: the file, the settings or the questions of a cell cannot be used; nothing was asked.
    """
    caps = Caps.read(given)
    plans = _make_plans(suite_file, caps, baseline)
    prepare_prefect(is_verbose=any(plan.config.processing.verbose for plan in plans))
    # Imports Prefect, which takes a second: mistakes show before that.
    from flows.commands.flow_call import require_named_server, run_flow  # noqa: PLC0415
    from flows.run_suite import run_suite  # noqa: PLC0415
    from flows.suites.opening import hand_over_plans  # noqa: PLC0415

    if plans[0].cell.suite.on == "workers":
        require_named_server(NO_WORKERS.format(suite=suite_file))
    with hand_over_plans(plans):
        return run_flow(lambda: run_suite(suite_file, caps, return_state=True), server)


def show_plan(suite_file: str, given: Mapping[str, object]) -> int:
    """Print what each cell would reuse and ask; ask nothing, and leave every folder as it is.

    Raises:
        UserMistake: the file, the settings or the questions of a cell cannot be used.
    """
    print_line(to_terminal(describe_plan(_make_plans(suite_file, Caps.read(given), is_dry=True))))
    return EXIT_DONE


def describe_plan(plans: Sequence[CellPlan]) -> list[Section]:
    """Return what the cells would reuse and ask, a row each, and the sums."""
    headings = ["cell", "selected", "scored", "refused", "to grade", "to ask", "generator tokens", "grader tokens", "cost"]
    rows = [[plan.cell.name, *_count(plan), *_estimate([plan])] for plan in plans]
    sums = [f"{sum(column):,}" for column in zip(*(_numbers(plan) for plan in plans), strict=True)]
    rows.append(["all", *sums, *_estimate(plans)])
    finished = sum(plan.results is not None for plan in plans)
    unusable = sum(plan.unusable for plan in plans)
    suite = plans[0].cell.suite
    lines = [
        f"{len(plans):,} cells, {finished:,} finished: {len(plans) - finished:,} to run",
        *([f"Cells run on workers, which take them from the queue {suite.work_queue}"] if suite.on == "workers" else []),
        *([f"Entries that cannot be asked: {unusable:,}"] if unusable else []),
        *describe_budget(suite.budget, plans),
        *(["Tokens are unknown as long as no answer is known that says what it cost"] if _is_unknown(plans) else []),
    ]
    return [Section(table=Table(headings, rows, TEXTS), lines=lines)]


def _make_plans(suite_file: str, caps: Caps, baseline: str | None = None, *, is_dry: bool = False) -> list[CellPlan]:
    return plan_suite(read_suite(suite_file, caps, baseline), KeyReader(os.environ, lambda _: NO_KEY), is_dry=is_dry)


def _numbers(plan: CellPlan) -> tuple[int, ...]:
    return plan.selected, plan.scored, plan.refused, plan.to_grade, plan.to_ask


def _count(plan: CellPlan) -> list[str]:
    return [f"{number:,}" for number in _numbers(plan)]


def _estimate(plans: Sequence[CellPlan]) -> list[str]:
    """Return about how many tokens the cells still take at each endpoint, and what that costs."""
    return [*(_estimate_tokens(plans, role) for role in ROLES), _estimate_costs(plans)]


def _estimate_tokens(plans: Sequence[CellPlan], role: Role) -> str:
    """Return about how many tokens the cells still take at that endpoint; unknown if one of them does not say."""
    tokens = [plan.tokens[role] for plan in plans if role in plan.tokens]
    known = [each for each in tokens if each]
    return f"{sum(known, TokenSum()).total:,}" if len(known) == len(tokens) else UNKNOWN


def _estimate_costs(plans: Sequence[CellPlan]) -> str:
    """Return what the cells still cost, between two ends; unknown if one endpoint does not say."""
    if any(plan.tokens.keys() - plan.costs.keys() for plan in plans):
        return UNKNOWN
    low, high = (sum(getattr(each, end) for plan in plans for each in plan.costs.values()) for end in ("low", "high"))
    return f"{format_dollars(low)} to {format_dollars(high)}" if high else format_dollars(0.0)


def _is_unknown(plans: Sequence[CellPlan]) -> bool:
    return any(tokens is None for plan in plans for tokens in plan.tokens.values())
