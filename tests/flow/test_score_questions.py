"""The whole way of a question under a real Prefect server: scored once, kept, reused, and never mis-scored."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.support.exam import COUNT, read_final, read_latest, run, scored
from tests.support.fake_endpoint import (
    FakeEndpoint,
    is_grader,
    make_questions,
    right_count,
    write_config,
    write_questions,
)

pytestmark = pytest.mark.usefixtures("exam")


def test_every_question_is_scored_once(folder: Path, endpoint: FakeEndpoint) -> None:
    """Each is asked once, and the result holds each once, in order, with the known score."""
    state = run(write_config(folder, endpoint.url))
    assert state.is_completed()
    assert sum(endpoint.asked().values()) == len(endpoint.asked()) == COUNT
    assert [number for number, _ in scored(folder)] == list(range(1, COUNT + 1))
    assert sum(score for _, score in scored(folder)) == right_count(COUNT)
    assert read_final(folder)["metadata"]["statistics"]["accuracy"] == right_count(COUNT) / COUNT
    assert read_latest(folder)["completed_count"] == COUNT
    assert read_latest(folder)["metadata"]["statistics"]["scored"] == COUNT


def test_the_workers_are_busy_over_all_batches(folder: Path, endpoint: FakeEndpoint) -> None:
    """As many questions are in flight as there are workers, however small the batches are, and never more."""
    endpoint.delay_seconds = 0.1
    run(write_config(folder, endpoint.url, batch_size=2))
    assert endpoint.most_in_flight == 8


def test_the_variables_hold_from_the_first_question_on(folder: Path, endpoint: FakeEndpoint) -> None:
    """A run that begins, or is retried, during a provider's incident neither asks as many as it is configured with, nor there.

    The key is for the addresses in the settings alone.
    """
    from prefect.variables import Variable

    config = write_config(folder, endpoint.url)
    (folder / config).write_text((folder / config).read_text().replace(f"'{endpoint.url}'", f"['{endpoint.url}']"))
    with FakeEndpoint() as other:
        other.delay_seconds = 0.05
        Variable.set("mcqa_parallel_workers", 2)
        Variable.set("mcqa_addresses_fake", [other.url])
        try:
            assert run(config, limit=20).is_completed()
        finally:
            Variable.unset("mcqa_parallel_workers")
            Variable.unset("mcqa_addresses_fake")
        assert (other.most_in_flight, other.asked().total(), endpoint.bodies) == (2, 20, [])
        assert not other.keys & endpoint.keys


def test_a_grader_gives_the_scores(folder: Path, endpoint: FakeEndpoint) -> None:
    """One call a question more, to the listed model, and its verdict is the score."""
    run(write_config(folder, endpoint.url, grader=True))
    assert sum(endpoint.asked(grader=True).values()) == COUNT
    assert {body["model"] for body in endpoint.bodies if is_grader(body)} == {"judge-1"}
    assert sum(score for _, score in scored(folder)) == right_count(COUNT)


def test_an_unusable_entry_keeps_its_number(folder: Path, endpoint: FakeEndpoint) -> None:
    """It is skipped and listed, and the others are scored."""
    write_questions(folder, [*make_questions(3), {"question": "no answer"}, *make_questions(1, first=5)])
    assert run(write_config(folder, endpoint.url)).is_completed()
    results = read_final(folder)["results"]
    assert results[3] == {"question_id": 4, "error": "Missing question or answer", "skipped": True}
    assert [result["question_id"] for result in results] == [1, 2, 3, 4, 5]


def test_identical_questions_are_questions_of_their_own(folder: Path, endpoint: FakeEndpoint) -> None:
    """Each is asked, and each has its own reference."""
    question = make_questions(1)[0]["question"]
    write_questions(folder, [{"question": question, "answer": answer} for answer in ("B", "A", "B")])
    run(write_config(folder, endpoint.url))
    [(prompt, count)] = endpoint.asked().items()
    assert question in prompt
    assert count == 3
    assert scored(folder) == [(1, 1), (2, 0), (3, 1)]


def test_without_checkpointing_nothing_is_written_there(folder: Path, endpoint: FakeEndpoint) -> None:
    """Not even the directory."""
    assert run(write_config(folder, endpoint.url), enable_checkpointing=False).is_completed()
    assert not (folder / "checkpoints").exists()
    assert len(scored(folder)) == COUNT


def test_the_context_is_asked_with(folder: Path, endpoint: FakeEndpoint) -> None:
    """The `text` of a question stands before it, with the context setting alone."""
    question = make_questions(1)[0] | {"text": "It is two."}
    write_questions(folder, [question])
    config = write_config(folder, endpoint.url)
    (folder / config).write_text((folder / config).read_text() + "\nrag: {enabled: true, use_context_field: true}\n")
    run(config)
    [prompt] = endpoint.asked()
    assert "\n\nContext:\nIt is two.\n\nQuestion:\nQuestion 1: which" in prompt
    assert read_final(folder)["results"][0]["retrieval_info"]["context_source"] == "text_field"


def test_save_incremental_keeps_every_answer(folder: Path, endpoint: FakeEndpoint) -> None:
    """The run is the same, only safer."""
    assert run(write_config(folder, endpoint.url, save_incremental=True)).is_completed()
    assert len(scored(folder)) == COUNT


def test_incorrect_answers_go_to_their_own_file(folder: Path, endpoint: FakeEndpoint) -> None:
    """Those with a score below 1."""
    run(write_config(folder, endpoint.url), save_incorrect=True)
    [path] = (folder / "out").glob("exam_incorrect_fake_*.json")
    incorrect = json.loads(path.read_text())["results"]
    assert [result["question_id"] for result in incorrect] == list(range(3, COUNT + 1, 3))


def test_prefect_names_the_run_and_its_batches(folder: Path, endpoint: FakeEndpoint, prefect_server: str) -> None:
    """A person finds them in the UI."""
    from prefect.client.orchestration import get_client

    state = run(write_config(folder, endpoint.url))
    with get_client(sync_client=True) as client:
        flow_run = client.read_flow_run(state.state_details.flow_run_id)
    assert re.fullmatch(r"exam fake \d{4}-\d\d-\d\d \d\d:\d\d", flow_run.name)
    assert "sk-very-secret" not in flow_run.model_dump_json()


def test_a_typed_name_is_kept(folder: Path, endpoint: FakeEndpoint) -> None:
    """It stands in the UI and in the results, and is what people look for."""
    from prefect.client.orchestration import get_client
    from prefect.flow_engine import run_flow_sync

    from flows.score_questions import score_questions

    parameters = {"config_file": write_config(folder, endpoint.url), "overrides": {"limit": 2}}
    with get_client(sync_client=True) as client:
        flow_run = client.create_flow_run(score_questions, name="night-shift", parameters=parameters)
        run_flow_sync(score_questions, flow_run, parameters)
        assert client.read_flow_run(flow_run.id).name == "night-shift"
    assert read_final(folder)["metadata"]["mcqa_flow"]["run_name"] == "night-shift"


def test_a_gate_ends_the_run_as_failed(folder: Path, endpoint: FakeEndpoint) -> None:
    """Everything is scored and written; the message says what is demanded, and CI systems can read it too."""
    config = write_config(folder, endpoint.url)
    state = run(config, fail_under=0.9, fail_under_interval=0.1, junit="gates.xml")
    assert state.is_failed()
    assert state.message == "Accuracy 0.67 is under the 0.90 that fail_under demands"
    assert len(read_final(folder)["results"]) == COUNT
    gates = ET.parse(folder / "gates.xml").getroot()
    assert (gates.get("tests"), gates.get("failures")) == ("2", "1")
    endpoint.forget()
    assert run(config, fail_under=0.6).is_completed()
    assert endpoint.bodies == []
