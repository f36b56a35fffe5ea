"""The run form with its menus: they offer what is there, and keep nothing out."""

from typing import Any

import pytest
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools.validation import is_valid

from flows.run_suite import run_suite
from flows.score_questions import score_questions
from flows.serving.form import make_form
from flows.serving.served_files import ServedFiles

DEPLOYED: Any = parameter_schema(score_questions).model_dump()
SERVED = ServedFiles(configs=("config.yaml",), questions=("exam.json", "a b.csv"), models=("judge", "llama"))


def form(served: ServedFiles = SERVED, **parameters: object) -> Any:
    return make_form(DEPLOYED, parameters, served)


def offered(schema: Any, name: str) -> Any:
    fields = schema["properties"] | schema["definitions"]["Overrides"]["properties"]
    return fields[name]["anyOf"][0]["enum"]


def test_menus_offer_what_lies_in_the_folder() -> None:
    """A model can also grade itself."""
    schema = form()
    assert offered(schema, "config_file") == ["config.yaml"]
    assert offered(schema, "questions_file") == ["exam.json", "a b.csv"]
    assert offered(schema, "model") == ["judge", "llama"]
    assert offered(schema, "grader") == ["judge", "llama", "self"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"config_file": "config.yaml", "overrides": {"questions_file": "exam.json", "model": "llama"}},
        {"config_file": "/elsewhere/x.yaml", "overrides": {"questions_file": "b.json", "model": "gpt-9", "grader": "other"}},
        {"config_file": "", "overrides": {"questions_file": "", "model": "", "grader": "", "prompt": ""}},
        {"overrides": {"questions_file": None, "model": None, "grader": None, "prompt": None, "limit": None}},
        {"overrides": {"prompt": "Now: {question}", "auto_resume": False}, "advanced": {"repeats": 2}},
        {"overrides": {}, "advanced": {}},
        {},
    ],
)
def test_nothing_is_refused_for_the_menus(parameters: dict[str, object]) -> None:
    """Neither what is not in them, nor what schedules and callers send who know nothing of them."""
    assert is_valid(parameters, DEPLOYED)
    assert is_valid(parameters, form())


@pytest.mark.parametrize("parameters", [{"overrides": {"model": 3}}, {"overrides": {"limit": 0}}, {"advanced": {"model": "x"}}])
def test_a_wrong_value_is_still_refused(parameters: dict[str, object]) -> None:
    """Before a run is made."""
    assert not is_valid(parameters, form())


def test_an_empty_folder_leaves_plain_fields() -> None:
    """Paths and names are typed then."""
    schema = form(ServedFiles())
    assert schema["properties"]["config_file"]["type"] == "string"
    assert schema["definitions"]["Overrides"]["properties"]["grader"]["type"] == "string"


def test_the_form_says_how_old_its_menus_are() -> None:
    """They do not follow the folder."""
    said = form()["properties"]["config_file"]["description"]
    assert said.startswith("The path of the YAML file")
    assert said.endswith("Menus show what was there when mcqa serve started.")


def test_what_a_deployment_sets_is_seen() -> None:
    """Also where it belongs to the second box, and its rule stays the same."""
    schema = form(overrides={"auto_resume": False})
    assert schema["definitions"]["Overrides"]["properties"]["auto_resume"]["enum"] == [True, False]
    assert "repeats" not in schema["definitions"]["Overrides"]["properties"]
    assert is_valid({"overrides": {"auto_resume": False, "repeats": 2}}, schema)
    assert not is_valid({"overrides": {"auto_resume": 3}}, schema)


def test_the_deployed_schema_is_left_alone() -> None:
    """Each deployment gets a form of its own."""
    form(overrides={"auto_resume": False})
    assert "auto_resume" not in DEPLOYED["definitions"]["Overrides"]["properties"]


@pytest.mark.parametrize("deployed", [{}, {"properties": {"config_file": {"type": "string"}}}, {"properties": {"x": 1}}])
def test_a_schema_of_another_version_is_no_obstacle(deployed: Any) -> None:
    """What is not there is not changed."""
    assert make_form(deployed, {}, SERVED).keys() == deployed.keys()


def test_the_form_of_a_suite_asks_for_its_file_and_its_budget() -> None:
    """A menu of the suite files in the folder, with a switch to any other path; caps may be left empty."""
    schema: Any = make_form(parameter_schema(run_suite).model_dump(), {}, ServedFiles(suites=("night.yaml",)))
    assert [*schema["properties"]] == ["suite_file", "budget"]
    assert offered({**schema, "definitions": {"Overrides": {"properties": {}}}}, "suite_file") == ["night.yaml"]
    assert is_valid({"suite_file": "elsewhere/suite.yaml"}, schema)
    assert is_valid({"suite_file": "night.yaml", "budget": {"max_cost": 2.5}}, schema)
    assert not is_valid({"suite_file": "night.yaml", "budget": {"max_cost": 0}}, schema)
