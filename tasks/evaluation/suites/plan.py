"""The plan of a suite: every cell checked before anything is asked, and what is left to be asked in each."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.config.suite_cells import Cell, find_folder_of, list_cells
from tasks.evaluation.config.suite_file import NO_BUDGET, Suite
from tasks.evaluation.endpoints.address_file import check_files
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.local_servers.server_commands import find_commands
from tasks.evaluation.questions.questions import Questions
from tasks.evaluation.reporting.estimate import CostEstimate, estimate_costs, estimate_each
from tasks.evaluation.reporting.summary import compute_statistics
from tasks.evaluation.retrieval.opening import Source, find_source
from tasks.evaluation.run.budgets import find_spending
from tasks.evaluation.run.folders import check_folders
from tasks.evaluation.run.opening import open_ledger
from tasks.evaluation.run.preparation import Preparation, find_endpoints, prepare
from tasks.evaluation.run.resumption import reuse_earlier
from tasks.evaluation.run.start import read_all
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.spending.amounts import Spending
from tasks.evaluation.spending.tokens import Role, TokenSum
from tasks.evaluation.suites.common_folder import check_common_folder
from tasks.evaluation.suites.finished import find_results, is_as_wanted

NO_RESUME = (
    "auto_resume is false, but a suite continues by reusing what was answered: leave it out. To ask all again, give the suite "
    "a checkpoint_directory of its own"
)
NO_CHECKPOINTS = "enable_checkpointing is false, but a suite continues from its cells' checkpoints: leave it out"
OWN_SAMPLES = "random_selection without random_seed lets each cell draw other questions: set processing.random_seed"
TWO_BUDGETS = "budget is set in the suite file and here: leave one out, or give this one `per: day` and the suite none"
ONE_SHARD = "shard is set, but the cells of a suite ask all questions: leave it out"


@dataclass(frozen=True)
class CellPlan:
    """A cell, and what is left of it."""

    cell: Cell
    """The cell."""
    config: Config
    """Its settings."""
    evaluation_id: str
    """Its evaluation's id."""
    selected: int
    """The number of questions selected."""
    scored: int
    """How many of them are scored."""
    to_grade: int
    """How many answers are known that await their grade, each repeat for itself."""
    to_ask: int
    """How many answers are to be asked for, each repeat for itself."""
    refused: int
    """How many questions the endpoint has refused."""
    unusable: int
    """How many entries cannot be asked."""
    spent: Spending
    """What it has cost."""
    unrecorded: Spending
    """The part of that which is in no answer or grade."""
    tokens: Mapping[Role, TokenSum | None]
    """About how many tokens each endpoint takes that will be asked; None where no known answer says what it cost."""
    costs: Mapping[Role, CostEstimate]
    """What that costs, for each endpoint of which it can be known."""
    results: Path | None
    """The results, if the cell is finished and nothing is left to be written."""
    starts_server: bool
    """True if it starts a model server on this machine."""

    @property
    def command(self) -> str:
        """Return the command that runs the cell by itself, as a shell takes it."""
        return f"mcqa score --config {shlex.quote(self.cell.config_file)}"


@dataclass(frozen=True)
class _Checked:
    """A cell whose settings are sound."""

    cell: Cell
    config: Config
    folder: Path
    endpoints: tuple[Endpoint, Endpoint | None]
    own_folder: Path | None
    starts_server: bool


def plan_suite(suite: Suite, keys: KeyReader, *, is_dry: bool = False) -> list[CellPlan]:
    """Return the suite's cells with what is left of each; nothing is asked, and a dry run makes no folder.

    Args:
        suite: the suite.
        keys: reads the endpoints' keys.
        is_dry: whether nothing may be written.

    Raises:
        UserMistake: a cell's settings or questions cannot be used, two cells are one evaluation, or cells on workers could not
            spend from one budget.
    """
    checked = [_check_settings(cell, keys, is_dry=is_dry) for cell in list_cells(suite)]
    check_common_folder(suite, {each.cell.name: each.config.processing.checkpoint_directory for each in checked})
    plans: list[CellPlan] = []
    with ExitStack() as stack:
        read = _Read(stack)
        for each in checked:
            with _naming(each.cell):
                plans.append(_plan_cell(each, read))
    _refuse_twins(plans)
    return plans


def _check_settings(cell: Cell, keys: KeyReader, *, is_dry: bool) -> _Checked:
    with _naming(cell):
        config = load_config(cell.config_file, Overrides())
        _refuse_unfit(config)
        if NO_BUDGET not in (cell.suite.budget, config.budget):
            raise UserMistake(TWO_BUDGETS)
        folder = find_folder_of(cell.suite)
        endpoints = find_endpoints(config, folder, keys)
        check_files(endpoints)
        # A model server on a worker's machine needs nothing here.
        starts_server = cell.suite.on == "here" and bool(find_commands(config))
        return _Checked(cell, config, folder, endpoints, check_folders(config, is_dry=is_dry), starts_server)


def _refuse_unfit(config: Config) -> None:
    """Refuse settings with which a cell could not be continued, or held against others."""
    processing = config.processing
    if not processing.auto_resume:
        raise UserMistake(NO_RESUME)
    if not processing.enable_checkpointing:
        raise UserMistake(NO_CHECKPOINTS)
    if processing.shard:
        raise UserMistake(ONE_SHARD)
    if processing.random_selection is not None and processing.random_seed is None:
        raise UserMistake(OWN_SAMPLES)


@contextmanager
def _naming(cell: Cell) -> Iterator[None]:
    """Name the cell in the message of a mistake, unless that does."""
    try:
        yield
    except UserMistake as mistake:
        named = str(mistake)
        raise UserMistake(named if named.startswith(cell.config_file) else f"{cell.config_file}: {named}") from None


class _Read:
    """Reads each file of questions and each corpus once, for all cells that read it in the same way.

    Args:
        stack: closes the questions.
    """

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._questions: dict[str, Questions] = {}
        self._sources: dict[str, Source | None] = {}

    def read_questions(self, config: Config) -> Questions:
        """Return the questions that the settings name."""
        parts = config.questions_file, config.processing.question_format, config.rag.uses_context, config.fields
        key = repr((*parts, bool(config.model.grader_shortname)))
        if key not in self._questions:
            self._questions[key] = self._stack.enter_context(closing(read_all(config, None)))
        return self._questions[key]

    def find_source(self, config: Config, folder: Path) -> Source | None:
        """Return where chunks come from; what it is known by depends on the settings of `rag` alone."""
        key = repr(config.rag)
        if key not in self._sources:
            # Nothing is kept: in a dry run, our own folder may not exist.
            self._sources[key] = find_source(config, folder, None)
        return self._sources[key]


def _plan_cell(checked: _Checked, read: _Read) -> CellPlan:
    config = checked.config
    questions, source = read.read_questions(config), read.find_source(config, checked.folder)
    # Temporary files go to the system's temporary folder.
    preparation = prepare(
        config, questions, checked.endpoints, source=source, own_folder=None, run_id="a suite", notify=lambda _: None
    )
    with open_ledger(preparation) as ledger:
        reuse_earlier(replace(preparation, own_folder=checked.own_folder), ledger, lambda _: None)
        return _describe(checked, preparation, ledger)


def _describe(checked: _Checked, preparation: Preparation, ledger: Ledger) -> CellPlan:
    statistics, awaiting = compute_statistics(ledger), len(ledger.awaiting_grade())
    evaluation_id = ledger.roster.evaluation_id
    finished = None if ledger.open_count else find_results(checked.config, evaluation_id)
    spending = find_spending(preparation, ledger)
    return CellPlan(
        cell=checked.cell,
        config=checked.config,
        evaluation_id=evaluation_id,
        selected=len(ledger.questions),
        scored=statistics.overall.count if statistics.overall else 0,
        to_grade=awaiting,
        to_ask=ledger.open_asking_count - awaiting,
        refused=statistics.refused,
        unusable=statistics.unusable,
        spent=spending.before,
        unrecorded=spending.unrecorded,
        tokens=estimate_each(ledger, has_grader=checked.endpoints[1] is not None),
        costs=estimate_costs(ledger, checked.endpoints[0].request, preparation.config.prompt, preparation.pricing),
        results=finished.saved.path if finished and is_as_wanted(finished, checked.config) else None,
        starts_server=checked.starts_server,
    )


def _refuse_twins(plans: Sequence[CellPlan]) -> None:
    """Refuse a suite in which two cells are the same evaluation, which only one of them could run.

    Raises:
        UserMistake: two are.
    """
    first: dict[str, CellPlan] = {}
    for plan in plans:
        other = first.setdefault(plan.evaluation_id, plan)
        if other is not plan:
            raise UserMistake(
                f"{plan.cell.suite.path}: the cells {other.cell.name} and {plan.cell.name} are the same evaluation: nothing in "
                "which they differ changes what is asked or how it is graded. Change one, or leave it out with exclude"
            )
