"""A scheduled run that had nothing to ask says so: it looks like a measurement, but measured nothing."""

import pytest
from prefect.states import Completed, Failed
from prefect.utilities.schema_tools.validation import is_valid

from flows.ending.recurrence import add_warning, explain_idle_run
from flows.score_questions import score_questions
from tests.support.evaluation import Evaluation

WARNING = "All 40 answers were reused: nothing was asked. A recurring evaluation needs auto_resume false"


def test_a_run_that_finds_every_answer_is_explained(evaluation: Evaluation) -> None:
    """With the number of answers, and what to change."""
    evaluation.run({})
    with evaluation.open({}, run_id="the next night") as run:
        assert explain_idle_run(run) == WARNING


def test_a_run_that_asks_one_question_is_not(evaluation: Evaluation) -> None:
    """It measures something."""
    evaluation.run({"processing.limit": 39})
    with evaluation.open({}, run_id="the next night") as run:
        assert explain_idle_run(run) == ""


def test_the_retry_of_a_run_that_shares_nothing_is_not(evaluation: Evaluation) -> None:
    """The answers are its own."""
    evaluation.run({"processing.auto_resume": False}, run_id="tonight")
    with evaluation.open({"processing.auto_resume": False}, run_id="tonight") as run:
        assert explain_idle_run(run) == ""


def test_the_state_says_it() -> None:
    """First where all is well, since lists cut messages off; after the cause where it is not."""
    assert add_warning(Completed(message="Accuracy 0.71"), "Nothing was asked").message == "Nothing was asked. Accuracy 0.71"
    assert (
        add_warning(Failed(message="0.61 is under 0.70"), "Nothing was asked").message
        == "0.61 is under 0.70. Nothing was asked"
    )
    assert add_warning(Completed(message="Accuracy 0.71"), "").message == "Accuracy 0.71"


def test_the_form_has_a_menu_that_sends_nothing_by_itself() -> None:
    """With null as default or type, the UI sends null for a schedule whose dialog is saved, and the run reuses everything."""
    field = score_questions.parameters.properties["auto_resume"]
    assert (field["title"], field["default"]) == ("Auto-resume", "as configured")
    assert field["enum"] == ["as configured", True, False]
    assert "type" not in field
    assert "anyOf" not in field


@pytest.mark.parametrize(("given", "taken"), [("as configured", None), (None, None), (True, True), (False, False)])
def test_as_configured_is_null(given: object, taken: bool | None) -> None:
    """What the menu sends is what the flow is called with."""
    assert score_questions.validate_parameters({"auto_resume": given})["auto_resume"] is taken


def test_the_server_refuses_what_is_no_choice() -> None:
    """With the field's name, before a run is made."""
    schema = score_questions.parameters.model_dump()
    assert is_valid({"auto_resume": False}, schema)
    assert not is_valid({"auto_resume": "false"}, schema)
