"""The suite file: its cells are ordinary configurations, and each mistake in it is one message."""

from pathlib import Path

import pytest

from flows.opening.run_names import describe, describe_suite
from tasks.evaluation.config.config import Config
from tasks.evaluation.config.loading import find_folder, load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.config.suite_cells import list_cells, read_cell
from tasks.evaluation.config.suite_file import read_suite
from tasks.evaluation.errors import UserMistake

SHARED = """
model:
  generator_settings: {model: small, base_url: 'http://shared:1/v1', api_key: '${SHARED_KEY}', temperature: 0.5}
processing: {parallel_workers: 4}
rag: {use_context_field: true}
fields: {question: q}
"""
SUITE = """
config: config.yaml
models:
- large
- listed
- {name: llama, generator_settings: {model: llama-3-8b, server: node1, port: 8000}, processing: {parallel_workers: 2}}
questions: [data/astro.json.gz, {name: bio, questions_file: bio.parquet, fields: {answer_is: index}}]
conditions: {plain: {rag: {enabled: false}}, rag: {rag: {retrieval_top_k: 3}}}
exclude: [{model: llama, condition: rag}, {questions: bio, model: large}]
parallel_cells: 2
"""
SERVERS = """
servers:
- {shortname: listed, openai_api_base: 'http://listed:2/v1', openai_model: listed-1, openai_api_key: '${LISTED_KEY}'}
"""


@pytest.fixture(autouse=True)
def files(folder: Path) -> None:
    (folder / "config.yaml").write_text(SHARED)
    (folder / "model_servers.yaml").write_text(SERVERS)
    (folder / "suite.yaml").write_text(SUITE)


def load(cell: str, suite: str = "suite.yaml", **overrides: object) -> Config:
    return load_config(f"{suite}#{cell}", Overrides.model_validate(overrides))


def test_the_cells_are_all_combinations_but_those_excluded() -> None:
    """All of a model's beside each other, in the file's order."""
    assert [cell.name for cell in list_cells(read_suite("suite.yaml"))] == [
        "large,astro,plain",
        "large,astro,rag",
        "listed,astro,plain",
        "listed,astro,rag",
        "listed,bio,plain",
        "listed,bio,rag",
        "llama,astro,plain",
        "llama,bio,plain",
    ]


def test_a_cell_is_the_shared_settings_with_its_own_over_them() -> None:
    """Within sections too: what a condition does not name stays."""
    config = load("large,astro,rag")
    assert config.questions_file == "data/astro.json.gz"
    assert (config.rag.enabled, config.rag.use_context_field, config.rag.retrieval_top_k) == (True, True, 3)
    assert config.processing.parallel_workers == 4
    settings = config.model.generator_settings
    assert (settings.model, settings.base_url, settings.temperature) == ("large", "http://shared:1/v1", 0.5)
    assert load("listed,bio,plain").fields.model_dump(exclude_none=True) == {"question": "q", "answer_is": "index"}


def test_a_model_is_a_short_name_where_the_model_servers_file_has_it() -> None:
    """As with --model: its address and key in place of the shared ones."""
    settings = load("listed,astro,plain").model.generator_settings
    assert (settings.model, settings.base_url, settings.api_key) == ("listed-1", "http://listed:2/v1", "${LISTED_KEY}")


def test_a_model_with_an_address_of_its_own_gets_no_key_of_another() -> None:
    """The shared key is for the shared address; all other settings of the request stay."""
    model = load("llama,bio,plain").model
    settings = model.generator_settings
    assert (settings.server, settings.port, settings.base_url, settings.api_key) == ("node1", 8000, None, None)
    assert (model.generator.generator_type, settings.temperature) == ("vllm", 0.5)
    assert load("llama,bio,plain").processing.parallel_workers == 2


def test_settings_may_stand_in_the_suite_and_name_a_model_by_its_short_name(folder: Path) -> None:
    """One file is enough."""
    (folder / "one.yaml").write_text(
        "config: {processing: {limit: 3}}\nmodels: [{name: hot, model: listed, generator_settings: {temperature: 1}}]\n"
        "questions: [exam.json]"
    )
    config = load("hot,exam", "one.yaml")
    assert (config.model.generator_settings.model, config.model.generator_settings.temperature) == ("listed-1", 1)
    assert config.processing.limit == 3


def test_files_are_looked_for_as_from_the_shared_configuration(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside it where the working directory lacks them; the configuration itself beside the suite file."""
    other = folder / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    assert find_folder("../suite.yaml#large,astro,plain") == Path("..")
    assert load("listed,astro,plain", "../suite.yaml").model.generator_settings.model == "listed-1"


def test_flags_change_a_cell_as_any_configuration() -> None:
    """Spaces after a comma are nothing."""
    assert load("large, astro, rag", limit=7).processing.limit == 7


def test_an_ordinary_configuration_may_have_the_mark_in_its_name(folder: Path) -> None:
    """A file that is there is meant."""
    (folder / "a#b.yaml").write_text(SHARED)
    assert load_config("a#b.yaml", Overrides(questions_file="exam.json")).questions_file == "exam.json"


def test_the_run_of_a_cell_has_its_name() -> None:
    """By which it is found in Prefect's UI."""
    assert describe("suite.yaml#large,astro,rag", {}, {}) == "large,astro,rag"
    assert (describe_suite("a/suite.yaml"), describe_suite("a/night.yaml")) == ("suite", "suite night")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ("models: [a]", "suite.yaml: questions is missing"),
        ("models: []\nquestions: [a.json]", "suite.yaml: models: list should have at least 1 item"),
        ("models: [a]\nquestions: [a.json]\nquestion: 1", "unknown key 'question': did you mean 'questions'?"),
        ("models: [[a]]\nquestions: [a.json]", "models: each entry must be a model's name, or settings with a name"),
        ("models: [{model: a}]\nquestions: [a.json]", "models: an entry has no name, or one that is no text: add `name: …`"),
        ("models: [a]\nquestions: [{name: x}]", "questions: x: questions_file is missing"),
        ("models: [a]\nquestions: [a.json, b/a.csv]", "questions: two are called 'a'"),
        ("models: ['a,b']\nquestions: [a.json]", "models: 'a,b' cannot be a name"),
        ("models: [a]\nquestions: [a.json]\nconditions: {x: 1}", "conditions.x: input should be a valid dictionary"),
        ("models: [a]\nquestions: [a.json]\nparallel_cells: 0", "parallel_cells: input should be greater than or equal to 1"),
        ("models: [a]\nquestions: [a.json]\non: nodes", "suite.yaml: on: input should be 'here' or 'workers'"),
        ("models: [a]\nquestions: [a.json]\nwork_queue: gpu", "work_queue is for cells on workers: set on: workers beside it"),
        ("models: [a]\nquestions: [a.json]\nbudget: {cost: 1, per: day}", "budget.per: day does not fit a suite"),
        ("models: [a]\nquestions: [a.json]\nexclude: [{model: b}]", "exclude: there is no model 'b': known here: a"),
        ("models: [a]\nquestions: [a.json]\nexclude: [{models: a}]", "unknown key 'models' in exclude: did you mean 'model'?"),
        ("models: [a]\nquestions: [a.json]\nexclude: [{model: a}]", "suite.yaml: exclude leaves no cell"),
        ("models: [a]\nquestions: [a.json]\nconfig: none.yaml", "cannot read none.yaml: No such file"),
    ],
)
def test_a_mistake_is_one_message(folder: Path, changed: str, message: str) -> None:
    """It names the file, the key and what to do."""
    (folder / "suite.yaml").write_text(changed)
    with pytest.raises(UserMistake) as mistake:
        read_cell(list_cells(read_suite("suite.yaml"))[0])
    assert message in str(mistake.value)


def test_cells_may_run_on_workers(folder: Path) -> None:
    """`on` is a key like any other, though YAML 1.1 takes it for a truth value."""
    (folder / "suite.yaml").write_text(f"{SUITE}on: workers\nwork_queue: gpu\n")
    suite = read_suite("suite.yaml")
    assert (suite.on, suite.work_queue) == ("workers", "gpu")
    (folder / "suite.yaml").write_text(SUITE)
    assert read_suite("suite.yaml").on == "here"


def test_a_cell_that_is_not_there_is_named() -> None:
    """With the one that may have been meant."""
    with pytest.raises(UserMistake, match="has no cell 'lama,bio,plain': did you mean 'llama,bio,plain'"):
        load("lama,bio,plain")


def test_a_setting_that_is_not_known_names_its_cell(folder: Path) -> None:
    """As an ordinary configuration names its file."""
    (folder / "suite.yaml").write_text("models: [{name: a, generator_settings: {modle: a}}]\nquestions: [exam.json]")
    with pytest.raises(
        UserMistake, match=r"suite\.yaml#a,exam: unknown key 'modle' in model\.generator_settings: did you mean"
    ):
        load("a,exam")
