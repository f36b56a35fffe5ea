"""The variable that holds a model's addresses: its name, what it may hold, and what a run does with it."""

import pytest

from flows.asking.addresses_variable import AddressesVariable, name_variable, read_addresses
from tasks.evaluation.config.addresses import WeightedUrl
from tasks.evaluation.run.run import Run
from tests.support.evaluation import Evaluation, assert_own_answers
from tests.support.fake_endpoint import FakeEndpoint

SETTING = "model.generator_settings.base_url"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("fake", "mcqa_addresses_fake"),
        ("meta-llama/Llama-3.1-8B", "mcqa_addresses_meta_llama_llama_3_1_8b"),
        ("argo:gpt-4o ", "mcqa_addresses_argo_gpt_4o"),
    ],
)
def test_the_name_of_the_variable_is_the_models(model: str, name: str) -> None:
    """In letters that Prefect allows."""
    assert name_variable(model) == name


@pytest.mark.parametrize("value", [["http://a/v1 2", "http://b/v1"], " http://A:80/v1\nhttp://a/v1 2\r\n\nhttp://b/v1"])
def test_addresses_are_read_from_a_list_or_from_lines(value: object) -> None:
    """As JSON, or as the text that the UI's form makes of it."""
    assert read_addresses(value) == [WeightedUrl("http://a/v1", 2.0), WeightedUrl("http://b/v1")]


@pytest.mark.parametrize(
    "value", [[], "", 7, {"a": 1}, ["http://a/v1", 7], "a:8000", "http://a/v1?k=${KEY}", "file:servers.txt"]
)
def test_anything_else_cannot_be_used(value: object) -> None:
    """No variable can ask for a secret of the machine that asks."""
    with pytest.raises(ValueError, match=r"address"):
        read_addresses(value)


def score_all(run: Run) -> None:
    for batch in run.batches.list_open():
        run.score(batch)


def test_a_run_asks_where_the_variable_says_until_it_is_removed(evaluation: Evaluation) -> None:
    """Without the key at addresses that the settings do not hold, and with it again at those that they do."""
    with FakeEndpoint() as other, evaluation.open({SETTING: [evaluation.endpoint.url]}, run_id="first") as run:
        run.check_endpoints()
        evaluation.endpoint.keys.clear()
        variable = AddressesVariable(run, *run.followings)
        variable.take([other.url])
        first, *others = run.batches.list_open()
        run.score(first)
        assert (len(other.bodies), len(evaluation.endpoint.bodies)) == (10, 0)
        variable.take(None)
        for batch in others:
            run.score(batch)
        assert (len(other.bodies), len(evaluation.endpoint.bodies)) == (10, 30)
        assert evaluation.endpoint.keys == {"Bearer sk-1"}
        assert "Bearer sk-1" not in other.keys
        run.saver.save()
    assert_own_answers(evaluation.run(run_id="second"))
    assert evaluation.endpoint.bodies == []


def test_the_addresses_of_the_settings_keep_their_keys_beside_others(evaluation: Evaluation) -> None:
    """A variable that adds an address changes nothing for the first."""
    with FakeEndpoint() as other, evaluation.open({SETTING: [evaluation.endpoint.url]}, run_id="first") as run:
        run.check_endpoints()
        AddressesVariable(run, *run.followings).take([f"{evaluation.endpoint.url}/", f"{other.url} 3"])
        score_all(run)
        assert evaluation.endpoint.keys == {"Bearer sk-1"}
        assert min(len(other.bodies), len(evaluation.endpoint.bodies)) > 0
        assert [each.url for each in run.traffic] == [evaluation.endpoint.url, other.url]


def test_an_unusable_value_changes_nothing_and_is_warned_of_once(evaluation: Evaluation) -> None:
    """The run goes on as it is."""
    with evaluation.open({SETTING: [evaluation.endpoint.url]}, run_id="first") as run:
        run.check_endpoints()
        variable = AddressesVariable(run, *run.followings)
        variable.take("sk-1234567")
        variable.take("sk-1234567")
        assert [line for line in run.progress.lines if "mcqa_addresses_fake" in line] == [
            "⚠️ The variable mcqa_addresses_fake is ignored: this is no address: http://HOST:PORT/v1 was expected"
        ]
        score_all(run)
        assert len(evaluation.endpoint.bodies) == 40


def test_a_model_with_one_address_alone_follows_no_variable(evaluation: Evaluation) -> None:
    """Its settings hold an address, and no list."""
    with evaluation.open({}, run_id="first") as run:
        run.check_endpoints()
        assert run.followings == []
