"""How the settings name several addresses of one model."""

import json
from pathlib import Path

import pytest

from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.config.processing_settings import Processing
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.run.preparation import find_endpoints
from tests.support.fake_endpoint import write_config

MODEL = "questions_file: exam.json\nmodel: {{generator: {{generator_type: vllm}}, generator_settings: {{model: m, {}}}}}\n"


@pytest.mark.parametrize(
    ("setting", "urls"),
    [
        ("base_url: ['http://a/v1', 'http://b/v1 2.5']", [("http://a/v1", 1.0), ("http://b/v1", 2.5)]),
        ("base_url: ['http://a/v1']", [("http://a/v1", 1.0)]),
        ("server: [a, 'b:8001', '[::1]', '[::1]:9 2'], port: 7", [
            ("http://a:7/v1", 1.0), ("http://b:8001/v1", 1.0), ("http://[::1]:7/v1", 1.0), ("http://[::1]:9/v1", 2.0)
        ]),
        ("server: [a, b]", [("http://a:8000/v1", 1.0), ("http://b:8000/v1", 1.0)]),
        ("server: [a, 'a:8000'], port: 7", [("http://a:7/v1", 1.0), ("http://a:8000/v1", 1.0)]),
        ("base_url: ['http://a/v1', 'https://a/v1']", [("http://a/v1", 1.0), ("https://a/v1", 1.0)]),
    ],
)  # fmt: skip
def test_addresses_are_written_as_a_list(folder: Path, setting: str, urls: list[tuple[str, float]]) -> None:
    """Each with its weight behind it; servers with their ports."""
    (folder / "config.yaml").write_text(MODEL.format(setting))
    generator, _ = find_endpoints(load_config("config.yaml", Overrides()), folder, KeyReader({}, str))
    assert [(each.base_url, each.weight) for each in generator.addresses] == urls


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("base_url: []", "base_url: the list of addresses is empty"),
        ("base_url: ['http://a/v1', 'http://a/v1/']", "base_url: 'http://a/v1' is listed twice"),
        ("base_url: ['http://A:80/v1?k=1', 'http://a/v1/?k=1']", "base_url: 'http://A:80/v1?k=***' is listed twice"),
        ("base_url: ['https://a/v1', 'https://a:443/v1 2']", "base_url: 'https://a/v1' is listed twice"),
        ("base_url: ['http://[::1]:8/v1', 'http://[0:0::1]:8/v1']", "base_url: 'http://[::1]:8/v1' is listed twice"),
        ("server: [a, 'a:8001'], port: 8001", "server: 'http://a:8001/v1' is listed twice"),
        ("server: [a, A]", "server: 'http://a:8000/v1' is listed twice"),
        ("base_url: ['http://a/v1', 7]", "base_url: one address, or a list of addresses, was expected"),
        ("base_url: {a: b}", "base_url: one address, or a list of addresses, was expected"),
        ("base_url: ['http://a/v1 0']", "'http://a/v1': only its weight may follow an address"),
        ("base_url: ['http://a/v1 sk-secret']", "'http://a/v1': only its weight may follow an address"),
        ("base_url: ['http://a/v1 1 2']", "only its weight may follow an address"),
        ("server: [a, '']", "an address is empty"),
        ("base_url: ['sk-1234567']", "base_url: this is no address"),
        ("base_url: ['http://a/v1', ' ']", "base_url: an address is empty"),
        ("server: []", "server: the list of addresses is empty"),
        ("server: ['http://a']", "server: 'http://a' is no server: HOST or HOST:PORT was expected"),
        ("server: http://a:8000", "server: 'http://a:8000' is no server: HOST or HOST:PORT was expected"),
        ("server: 'a:1,b:2'", "server: 'a:1,b:2' is no server"),
        ("server: ['a/v1']", "server: 'a/v1' is no server"),
        ("server: ['::1']", "server: '::1' is no server"),
        ("server: 'a 2'", "server: more follows 'http://a:8000/v1': write several addresses, or one with a weight, as a list"),
        ("server: 'a:99999'", "server: 'http://a:99999/v1' is no address"),
        ("base_url: 'http://a/v1 sk-secret'", "base_url: more follows 'http://a/v1'"),
        ("base_url: 'http://a/v1,http://b/v1'", "base_url: more follows 'http://a/v1'"),
        ("base_url: 'http://a/v1?v=1 2,http://b/v1'", "base_url: more follows 'http://a/v1"),
        ("base_url: ['http://a/v1, http://b/v1']", "base_url: 'http://a/v1,': only its weight may follow an address"),
        ("base_url: ['http://a/v1,http://b/v1']", "base_url: more follows 'http://a/v1'"),
    ],
)
def test_a_mistake_in_a_list_of_addresses_is_one_message(folder: Path, setting: str, message: str) -> None:
    """It names the setting, and repeats nothing that may be a key."""
    (folder / "config.yaml").write_text(MODEL.format(setting))
    with pytest.raises(UserMistake) as caught:
        load_config("config.yaml", Overrides())
    assert message in str(caught.value)
    assert "sk-" not in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("server: a", "http://a:8000/v1"),
        ("server: 'a:8001'", "http://a:8001/v1"),
        ("server: '[::1]', port: 9", "http://[::1]:9/v1"),
        ("base_url: ' http://a/v1 '", "http://a/v1"),
    ],
)
def test_one_address_is_written_alone(folder: Path, setting: str, url: str) -> None:
    """A server with its port or without."""
    (folder / "config.yaml").write_text(MODEL.format(setting))
    generator, _ = find_endpoints(load_config("config.yaml", Overrides()), folder, KeyReader({}, str))
    assert generator.base_url == url
    assert not generator.others


def test_a_model_server_may_have_several_addresses(folder: Path) -> None:
    """As the generator, as the grader, and for a generator that grades itself."""
    write_config(folder, "http://a/v1")
    servers = [{"shortname": "many", "openai_api_base": ["http://a/v1", "http://b/v1"], "openai_model": "m"}]
    (folder / "model_servers.yaml").write_text(json.dumps({"servers": servers}))
    for overrides in ({"model": "many", "grader": "self"}, {"grader": "many"}):
        config = load_config("config.yaml", Overrides.model_validate(overrides))
        generator, grader = find_endpoints(config, folder, KeyReader({"FAKE_KEY": "sk-1"}, str))
        assert grader
        assert [each.base_url for each in grader.addresses] == ["http://a/v1", "http://b/v1"]
        assert {each.role for each in grader.addresses} == {"grader"}
    assert len(generator.addresses) == 1


@pytest.mark.parametrize(
    ("processing", "workers"),
    [({}, 1), ({"parallel_per_server": 32}, 96), ({"parallel_per_server": 32, "parallel_workers": 8}, 8)],
)
def test_the_workers_are_those_of_all_servers(processing: dict[str, int], workers: int) -> None:
    """Where their number is left out."""
    assert Processing.model_validate(processing).count_workers(3) == workers
