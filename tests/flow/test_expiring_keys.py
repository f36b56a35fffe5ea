"""Runs whose keys expire on the way: nothing is left unscored, and no key is left anywhere."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.exam import read_database, run
from tests.support.expiring_key import ExpiringKey
from tests.support.fake_endpoint import FakeEndpoint, make_questions, right_count, write_questions

pytestmark = pytest.mark.slow


def write_settings(folder: Path, endpoint: FakeEndpoint, key: str, *, grader: str | None = "judge") -> None:
    """Write a configuration whose generator and grader are at the endpoint with the same key."""
    config = {
        "questions_file": "exam.json",
        "model": {
            "generator_settings": {"model": "fake", "base_url": endpoint.url, "api_key": key},
            "grader_shortname": grader,
        },
        "processing": {"parallel_workers": 64, "max_outage_seconds": 0, "verbose": True},
        "output": {"output_directory": "out", "output_prefix": "exam"},
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    servers = [{"shortname": "judge", "openai_api_base": endpoint.url, "openai_model": "j", "openai_api_key": key}]
    (folder / "model_servers.yaml").write_text(json.dumps({"servers": servers}))


def assert_no_key_is_left(folder: Path, key: ExpiringKey, printed: str) -> None:
    """Check that no beginning or end of any key is in a file, a line or a row."""
    places = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    places |= {"printed": printed.encode(), "database": read_database()}
    needles = [part.encode() for each in key.all for part in (each[:10], each[-14:])]
    assert [(name, needle) for name, content in places.items() for needle in needles if needle in content] == []


def read_results(folder: Path) -> dict[str, Any]:
    [path] = (folder / "out").glob("exam_fake_*.json")
    results: dict[str, Any] = json.loads(path.read_text())
    return results


def test_a_key_that_expires_again_and_again(
    prefect_server: str, folder: Path, endpoint: FakeEndpoint, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every 200 requests, 64 of them in flight, of a generator and a grader: one call of the command for each key."""
    key = ExpiringKey(folder, lasts=200)
    endpoint.admits, endpoint.delay_seconds = key.admits, 0.01
    write_questions(folder, make_questions(550))
    write_settings(folder, endpoint, f"command: '{key.script}' --for lab")
    state = run()
    assert state.is_completed(), state.message

    results = read_results(folder)
    assert sum(result["score"] for result in results["results"]) == right_count(550)
    assert sum(endpoint.asked().values()) + sum(endpoint.asked(grader=True).values()) == 1100
    assert (len(key.all), key.call_count) == (6, 6)
    assert endpoint.keys == {f"Bearer {each}" for each in key.all}
    printed = "".join(capfd.readouterr())
    assert f"comes from the program {key.script} (model.generator_settings.api_key)" in printed
    assert f"command: '{key.script}' --for lab" in json.dumps(results["metadata"])
    assert_no_key_is_left(folder, key, printed)

    assert run().is_completed()
    assert key.call_count == 6, "a finished evaluation asks nothing, and needs no key"


def test_a_secret_block_is_read_again_in_mid_run(
    prefect_server: str, folder: Path, endpoint: FakeEndpoint, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever renews the token puts it into the block, and the run goes on."""
    from prefect.blocks.system import Secret

    key = ExpiringKey(folder, lasts=30)

    def publish(fresh: str) -> None:
        Secret(value=fresh).save("expiring", overwrite=True)

    key.publish = publish
    key.publish(key.all[0])
    endpoint.admits = key.admits
    write_questions(folder, make_questions(40))
    write_settings(folder, endpoint, "secret:expiring")
    state = run()
    assert state.is_completed(), state.message
    assert len(key.all) == 3
    assert_no_key_is_left(folder, key, "".join(capfd.readouterr()))


def test_a_command_that_fails_in_mid_run_stops_it(
    prefect_server: str, folder: Path, endpoint: FakeEndpoint, capfd: pytest.CaptureFixture[str]
) -> None:
    """With what it says, but for the key in it."""
    key = ExpiringKey(folder, lasts=30)

    def break_command(fresh: str) -> None:
        key.write_script(f"echo {fresh}; echo 'cannot renew {fresh}: log in again' >&2; exit 4")

    key.publish, endpoint.admits = break_command, key.admits
    write_questions(folder, make_questions(40))
    write_settings(folder, endpoint, f"command: {key.script}", grader=None)
    state = run()
    assert state.is_failed()
    assert f"the command {key.script} failed with exit code 4: cannot renew ***: log in again" in state.message
    print(state.message)
    key.script.unlink()
    assert_no_key_is_left(folder, key, "".join(capfd.readouterr()))
