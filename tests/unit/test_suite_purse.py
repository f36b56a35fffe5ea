"""What the cells of a suite on workers spend together: each counts once, and with what it spent before."""

from dataclasses import replace
from pathlib import Path

import pytest

from tasks.evaluation.config.budget_settings import BudgetSettings
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.overrides import Caps as GivenCaps
from tasks.evaluation.config.suite_file import read_suite
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.spending.amounts import Caps, Spending, add_up
from tasks.evaluation.spending.evaluation_spending import EvaluationSpending
from tasks.evaluation.spending.shared_purse import SharedPurse, fill_purse
from tasks.evaluation.spending.spending_files import read_spending
from tasks.evaluation.suites.plan import CellPlan, plan_suite
from tasks.evaluation.suites.suite_purse import SuitePurse
from tests.support.budgets import ask_all
from tests.support.evaluation import Evaluation
from tests.support.fake_endpoint import FakeEndpoint, make_questions, write_config, write_questions

# What a reply of the endpoint takes.
TOKENS = 12
OTHER = "other/suite.yaml"
SUITE = "config: config.yaml\nmodels: [small, large]\nquestions: [exam.json]\non: workers\nbudget: {tokens: 1000}\n"


def write_suite(folder: Path, content: str = SUITE) -> None:
    write_questions(folder, make_questions(5))
    write_config(folder, "http://127.0.0.1:9/v1")
    (folder / "suite.yaml").write_text(content)


def plan(path: str = "suite.yaml", **caps: float) -> list[CellPlan]:
    suite = read_suite(path, GivenCaps.read(caps))
    return plan_suite(suite, KeyReader({"FAKE_KEY": "sk-x"}, str), is_dry=True)


def add_up_purse(folder: Path) -> Spending:
    return add_up(map(read_spending, folder.glob("*.json")))


def test_a_killed_cell_counts_once_when_it_is_continued(tmp_path: Path) -> None:
    """With all that its evaluation may have spent, in place of what the killed run had claimed."""
    caps, purse, evaluation = Caps(BudgetSettings(tokens=1_000)), tmp_path / "suite-x", tmp_path / "a"
    before = EvaluationSpending(evaluation, Spending(100))
    killed, other = SharedPurse(purse, "a", caps, before.before), SharedPurse(purse, "b", caps, Spending())
    assert killed.claim(Spending(340))
    before.cover(Spending(340), caps.one_percent)
    assert other.claim(Spending(500))
    assert not other.claim(Spending(561))
    after = EvaluationSpending(evaluation, Spending(200))
    continued = SharedPurse(purse, "a", caps, after.before)
    assert not continued.claim(Spending(51))
    assert continued.claim(Spending(50))
    continued.settle(Spending(20))
    other.settle(Spending(500))
    assert add_up_purse(purse) == Spending(100 + 340 + 10 + 20 + 500)


def test_what_was_spent_before_counts_before_any_cell_begins(tmp_path: Path) -> None:
    """A run that goes on may have claimed more since; what ended is known, and what is no cell any more counts no more."""
    caps = Caps(BudgetSettings(tokens=1_000))
    for name in ("going", "ended", "removed"):
        assert SharedPurse(tmp_path, name, caps, Spending()).claim(Spending(300))
    fill_purse(tmp_path, {"going": Spending(200), "ended": Spending(250), "waiting": Spending(150)}, ended={"ended"})
    assert add_up_purse(tmp_path) == Spending(300 + 250 + 150)
    assert not SharedPurse(tmp_path, "new", caps, Spending()).claim(Spending(301))


def test_the_runs_of_cells_keep_the_cap_together(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """Whichever run asks, each cell counts once; a higher cap lets a cell go on."""
    write_questions(Path(), make_questions(20))
    common = {"processing.suite_purse": "suite-x", "model.generator_settings.max_tokens": 20}
    for run_id, temperature, cap in (("1", 0.0, 800), ("2", 0.5, 800), ("3", 0.0, 800), ("4", 0.5, 850), ("5", 0.5, 9_999)):
        changed = common | {"budget.tokens": cap, "model.generator_settings.temperature": temperature}
        with evaluation.open(changed, run_id=run_id) as run:
            cause = ask_all(run)
        assert len(endpoint.bodies) * TOKENS <= cap
        assert (" tokens spent, or set aside by other runs, and the next request" in cause) == bool(cause) == (run_id in "24")
    assert len(endpoint.bodies) == 2 * 20
    assert add_up_purse(Path("checkpoints/.mcqa/spending/suite-x")).tokens == 2 * 20 * TOKENS


def test_a_suite_begins_with_what_its_cells_have_spent(folder: Path) -> None:
    """In the cells' checkpoint directory, one file for each evaluation."""
    write_suite(folder)
    plans = plan()
    purse = SuitePurse(plans[0].cell.suite.budget, [replace(each, spent=Spending(300)) for each in plans])
    purse.fill()
    files = [*Path("checkpoints/.mcqa/spending", purse.name).glob("*.json")]
    assert {path.stem: read_spending(path) for path in files} == {each.evaluation_id: Spending(300) for each in plans}


def test_suites_of_the_same_name_have_purses_of_their_own(folder: Path) -> None:
    """A suite is known by its path, however that is written."""
    (folder / "other").mkdir()
    write_suite(folder / "other")
    write_suite(folder)
    own, same, other = (SuitePurse(BudgetSettings(), plan(path)).name for path in ("suite.yaml", f"{folder}/suite.yaml", OTHER))
    assert own == same != other
    assert own.startswith("suite-suite-")


def test_cells_with_a_budget_have_one_checkpoint_directory(folder: Path) -> None:
    """Also for caps that a call gives; without a budget each cell may have its own, and in one process too."""
    several = SUITE.replace("large", "{name: large, processing: {checkpoint_directory: elsewhere}}")
    write_suite(folder, several)
    with pytest.raises(UserMistake, match=r"there are several: checkpoints \(small,exam\) and elsewhere \(large,exam\)"):
        plan()
    write_suite(folder, several.replace("budget: {tokens: 1000}", ""))
    assert len(plan()) == 2
    with pytest.raises(UserMistake, match="there are several"):
        plan(max_cost=1)
    write_suite(folder, several.replace("on: workers", ""))
    assert len(plan()) == 2
