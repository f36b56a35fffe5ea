"""A file that lists the addresses of one model: how it is read, and what a run does with it at its start."""

import asyncio
import json
import os
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.evaluation.config.addresses import WeightedUrl
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.endpoints.address_file import AddressFile, check_files
from tasks.evaluation.errors import EndpointStop, UserMistake
from tasks.evaluation.run.preparation import find_endpoints
from tests.support.addresses import (
    DROPPED,
    PATIENCE,
    after,
    ask_all,
    assert_all_answered,
    list_names,
    make_file_target,
    until,
    write_addresses,
)
from tests.support.evaluation import Evaluation, assert_own_answers
from tests.support.fake_endpoint import FakeEndpoint, answer_by_rule, error, write_config


def test_addresses_stand_one_a_line(folder: Path) -> None:
    """With weights, comments and empty lines; of two lines with one address the last counts."""
    notes: list[str] = []
    (folder / "servers.txt").write_bytes(
        b"\xef\xbb\xbf# my nodes\r\n\n http://node1:8000/v1 2  # twice\nhttp://node2/v1\nhttp://NODE2:80/v1/ 3\n#http://node3/v1"
    )
    found = AddressFile("servers.txt", notes.append).read_first()
    assert found == [WeightedUrl("http://node1:8000/v1", 2.0), WeightedUrl("http://NODE2:80/v1/", 3.0)]
    assert notes == []


@pytest.mark.parametrize(
    "line",
    ["node1:8000", "sk-1234567", "http://node1/v1 many", "http://h/v1?k=${KEY}", "${URL}", "http://h/v1?k=secret:a", "\0"],
)
def test_a_line_that_is_no_address_is_passed_over(folder: Path, line: str) -> None:
    """With a note that names the line and repeats nothing that may be a key; no line can ask for a secret."""
    notes: list[str] = []
    (folder / "servers.txt").write_text(f"http://node2/v1\n{line}\n")
    assert AddressFile("servers.txt", notes.append).read_first() == [WeightedUrl("http://node2/v1")]
    [note] = notes
    assert note.startswith("⚠️ servers.txt, line 2, is passed over: ")
    assert "sk-" not in note


def test_a_file_of_something_else_is_told_in_few_words(folder: Path) -> None:
    """Its first lines, and how many more there are."""
    notes: list[str] = []
    (folder / "servers.txt").write_text("question\n" * 500)
    assert AddressFile("servers.txt", notes.append).read_first() == []
    assert [note.split(" is")[0] for note in notes[:3]] == [f"⚠️ servers.txt, line {number}," for number in (1, 2, 3)]
    assert notes[3:] == ["⚠️ servers.txt: 497 more lines are passed over"]


def make_missing(path: Path) -> None:
    path.unlink()


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def make_large(path: Path) -> None:
    path.write_bytes(b"#" * 1_000_001)


@pytest.mark.parametrize(
    ("spoil", "advice"),
    [
        (make_missing, "create it: it may be empty"),
        (make_folder, "name a file of addresses"),
        (make_pipe, "name a file of addresses"),
        (make_large, "name a file of addresses"),
    ],
)
def test_a_file_that_cannot_be_read_at_the_start_is_the_users_mistake(
    listed: Path, spoil: Callable[[Path], None], advice: str
) -> None:
    """It is not waited for: its name may be misspelt."""
    spoil(listed)
    with pytest.raises(UserMistake, match=rf"cannot read the file of addresses .*servers\.txt: .*; {advice}"):
        check_files([None, make_file_target(listed)])


def test_what_is_being_written_is_not_read(listed: Path) -> None:
    """A change counts once the file stands still."""
    file = AddressFile(str(listed), print)
    file.read_first()

    async def write_on() -> None:
        while True:
            with listed.open("a") as out:
                out.write("http://node1:8000/v1")
            await asyncio.sleep(0.001)

    async def look_meanwhile() -> None:
        writing = asyncio.create_task(write_on())
        await file.read_again(0.05)
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing

    asyncio.run(look_meanwhile())
    assert file.listed == []
    listed.write_text("http://node1:8000/v1")
    asyncio.run(file.read_again(0))
    assert file.listed == [WeightedUrl("http://node1:8000/v1")]


def test_a_file_that_vanishes_is_noted_once(listed: Path) -> None:
    """Its addresses stay as they were until it is there again."""
    notes: list[str] = []
    file = AddressFile(str(listed), notes.append)
    listed.write_text("http://node0/v1")
    file.read_first()
    listed.unlink()
    asyncio.run(file.read_again(0))
    asyncio.run(file.read_again(0))
    assert file.listed == [WeightedUrl("http://node0/v1")]
    assert [note.split(" (")[0] for note in notes] == [f"⚠️ {listed} cannot be read any more"]
    listed.write_text("http://node1/v1")
    asyncio.run(file.read_again(0))
    assert file.listed == [WeightedUrl("http://node1/v1")]


def test_a_run_waits_for_the_first_address(pair: list[FakeEndpoint], listed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file may be empty at the start."""
    later = threading.Timer(0.1, write_addresses, (listed, *pair))
    later.start()
    assert_all_answered(ask_all(make_file_target(listed), 10, is_proven=False, is_checked=True), 10)
    assert [line for line in capsys.readouterr().out.splitlines() if "servers.txt" in line] == [
        f"⚠️ {listed} lists no address yet, waiting for 60 s at most",
        f"{listed}: 2 addresses now; added {pair[0].url}, {pair[1].url}",
    ]


def test_a_run_waits_for_a_listed_server_that_is_still_starting(pair: list[FakeEndpoint], listed: Path) -> None:
    """Its job writes the address before the model is loaded; no question is left unscored for that."""
    write_addresses(listed, *pair)
    for server in pair:
        server.models, server.rule = DROPPED, after(0, DROPPED)

    def load() -> None:
        for server in pair:
            server.models, server.rule = list_names("m"), answer_by_rule

    later = threading.Timer(0.5, load)
    later.start()
    assert_all_answered(ask_all(make_file_target(listed), 4, is_checked=True, workers=1), 4)


@pytest.mark.parametrize(
    ("count", "words"), [(1, "{url}, waiting for 60 s at most"), (2, "{url}, the other addresses take its share")]
)
def test_an_outage_says_whether_others_go_on(
    pair: list[FakeEndpoint], listed: Path, capsys: pytest.CaptureFixture[str], count: int, words: str
) -> None:
    """The file may list one address alone."""
    write_addresses(listed, *pair[:count])
    pair[0].rule = until(30, error(503, "loading"))
    pair[1].delay_seconds = 0.05
    assert_all_answered(ask_all(make_file_target(listed), 40), 40)
    told = capsys.readouterr().out.splitlines()[0]
    assert told.startswith(f"⚠️ Nothing gets through at {words.format(url=pair[0].url)}: the generator answered 503")


def test_an_address_that_is_listed_alone_is_waited_for(
    pair: list[FakeEndpoint], listed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the start on."""
    write_addresses(listed, pair[0])
    pair[0].models, pair[0].rule = DROPPED, after(0, DROPPED)
    patience = replace(PATIENCE, max_outage_seconds=0.1)
    assert {type(outcome) for outcome in ask_all(make_file_target(listed), 4, is_checked=True, patience=patience)} == {
        EndpointStop
    }
    assert capsys.readouterr().out.startswith(f"⚠️ {pair[0].url} is waited for, 0 s at most: ")


def test_answers_are_reused_wherever_the_addresses_are_written(evaluation: Evaluation) -> None:
    """In a file or in the settings; and the report shows each address of the file."""
    setting = "model.generator_settings.base_url"
    Path("servers.txt").write_text(f"{evaluation.endpoint.url}\nhttp://127.0.0.1:9/v1\n")
    assert_own_answers(evaluation.run({setting: "file:servers.txt"}))
    assert len(evaluation.endpoint.bodies) == 40
    assert_own_answers(evaluation.run(run_id="second"))
    assert evaluation.endpoint.bodies == []
    with evaluation.open({setting: "file:servers.txt"}, run_id="third") as run:
        assert [each.url for each in run.traffic] == [evaluation.endpoint.url, "http://127.0.0.1:9/v1"]


def test_the_workers_follow_the_number_of_addresses(evaluation: Evaluation) -> None:
    """Where their number is left out; one that was set stays."""
    Path("servers.txt").write_text("http://a/v1\nhttp://b/v1\nhttp://c/v1\n")
    changed = {
        "model.generator_settings.base_url": "file:servers.txt",
        "processing": {"parallel_per_server": 8, "progress_bar": False},
    }
    with evaluation.open(changed, run_id="first") as run:
        counts = [run.workers]
        run.note_addresses(5)
        counts.append(run.workers)
        run.note_addresses(0)
        counts.append(run.workers)
        run.set_workers(3)
        run.note_addresses(4)
        counts.append(run.workers)
    assert counts == [24, 40, 8, 3]
    assert run.configured_workers == 32


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("file:", "names no file of addresses: write file:servers.txt"),
        ("file://servers.txt", "names no file of addresses: write file:servers.txt"),
        ("file:~nobody-here/servers.txt", "the name of a user that is not known"),
        (["http://a/v1", "file:servers.txt"], "a file of addresses takes the place of the whole list"),
    ],
)
def test_a_mistake_in_the_name_of_a_file_of_addresses_is_one_message(folder: Path, base: object, message: str) -> None:
    """In the settings, and in the model servers file."""
    write_config(folder, "http://a/v1")
    servers = [{"shortname": "many", "openai_api_base": base, "openai_model": "m"}]
    (folder / "model_servers.yaml").write_text(json.dumps({"servers": servers}))
    with pytest.raises(UserMistake, match=re.escape(message)):
        load_config("config.yaml", Overrides(model="many"))
    settings = {"questions_file": "exam.json", "model": {"generator_settings": {"model": "m", "base_url": base}}}
    (folder / "config.yaml").write_text(json.dumps(settings))
    with pytest.raises(UserMistake, match=re.escape(message)):
        load_config("config.yaml", Overrides())


def test_a_model_server_may_have_a_file_of_addresses(folder: Path) -> None:
    """As the generator, as the grader, and for a generator that grades itself; its path is expanded."""
    write_config(folder, "http://a/v1")
    servers = [{"shortname": "many", "openai_api_base": "file:${HOME}/servers.txt", "openai_model": "m"}]
    (folder / "model_servers.yaml").write_text(json.dumps({"servers": servers}))
    for overrides in ({"model": "many", "grader": "self"}, {"grader": "many"}):
        config = load_config("config.yaml", Overrides.model_validate(overrides))
        _, grader = find_endpoints(config, folder, KeyReader({"FAKE_KEY": "sk-1"}, str))
        assert grader
        assert grader.address_file == f"{os.environ['HOME']}/servers.txt"
        assert grader.role == "grader"
