"""The checkpoint file: its documented form, whole at every instant, and readable by the guide's own snippets."""

import json
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from tasks.evaluation.errors import DamagedFile
from tasks.evaluation.json_lines import to_line
from tasks.evaluation.storage.checkpoint_folder import find_checkpoints, survey_checkpoints
from tasks.evaluation.storage.checkpoint_reader import read_checkpoint, read_results
from tasks.evaluation.storage.checkpoint_writer import CheckpointWriter
from tasks.evaluation.storage.file_names import sanitize_filename
from tasks.evaluation.storage.placed_spool import PlacedSpool
from tasks.evaluation.storage.save_clock import SaveClock

NOW = datetime(2026, 11, 23, 14, 30, 22, 123456)  # noqa: DTZ001
CONFIG = {"model": {"generator_settings": {"model": "m"}}}


def make_writer(folder: Path, results: PlacedSpool) -> CheckpointWriter:
    return CheckpointWriter(folder, "checkpoint_exam_m", results, lambda _: {"mcqa_flow": {"evaluation_id": "e"}}, CONFIG)  # type: ignore[arg-type]


def put(results: PlacedSpool, *positions: int) -> None:
    for position in positions:
        results.put(position, to_line({"question_id": position + 1, "question": 'ä "q"\n], "results"', "score": 1}))


def test_a_checkpoint_has_the_documented_form(tmp_path: Path) -> None:
    """Keys in their order, counts that agree, results in the order of completion, the index sorted."""
    with closing(PlacedSpool(None, 5)) as results:
        put(results, 3, 0)
        make_writer(tmp_path, results).save(NOW)
    document = json.loads((tmp_path / "checkpoint_exam_m_20261123_143022.json").read_text(encoding="utf-8"))
    assert list(document) == ["timestamp", "completed_count", "completed_indices", "results", "metadata", "config", "version"]
    assert document["timestamp"] == "2026-11-23T14:30:22.123456"
    assert document["completed_count"] == 2
    assert document["completed_indices"] == [1, 4]
    assert [result["question_id"] for result in document["results"]] == [4, 1]
    assert document["version"] == "2.0"


def test_an_empty_checkpoint_is_a_checkpoint(tmp_path: Path) -> None:
    """It is written before the first question, to hold the sample's seed."""
    with closing(PlacedSpool(None, 5)) as results:
        make_writer(tmp_path, results).save(NOW)
    assert json.loads((tmp_path / "latest.json").read_text())["results"] == []
    checkpoint = read_checkpoint(tmp_path / "latest.json")
    assert checkpoint
    assert checkpoint.completed_count == 0


def test_latest_is_a_relative_link_to_the_newest(tmp_path: Path) -> None:
    """So the folder can be moved."""
    with closing(PlacedSpool(None, 5)) as results:
        put(results, 0)
        writer = make_writer(tmp_path, results)
        writer.save(NOW)
        assert (tmp_path / "latest.json").readlink() == Path("checkpoint_exam_m_20261123_143022.json")


def test_a_taken_second_moves_on(tmp_path: Path) -> None:
    """Another run's file is never replaced."""
    with closing(PlacedSpool(None, 5)) as results:
        put(results, 0)
        first, second = make_writer(tmp_path, results), make_writer(tmp_path, results)
        first.save(NOW)
        second.save(NOW)
        assert [path.name[-20:] for path in sorted(tmp_path.glob("checkpoint*"))] == [
            "20261123_143022.json",
            "20261123_143023.json",
        ]


def test_nothing_new_is_no_save(tmp_path: Path) -> None:
    """A file that holds everything is left alone."""
    with closing(PlacedSpool(None, 5)) as results:
        put(results, 0)
        writer = make_writer(tmp_path, results)
        assert writer.save(NOW) == range(1)
        assert writer.save(NOW) is None
        put(results, 1)
        assert writer.save(NOW) == range(1, 2)


def test_an_open_checkpoint_never_changes(tmp_path: Path) -> None:
    """A slow reader reads the file that it opened to its end."""
    with closing(PlacedSpool(None, 5)) as results:
        put(results, 0)
        writer = make_writer(tmp_path, results)
        writer.save(NOW)
        with (tmp_path / "latest.json").open() as reader:
            put(results, 1, 2)
            writer.save(NOW)
            assert json.load(reader)["completed_count"] == 1
        assert json.loads((tmp_path / "latest.json").read_text())["completed_count"] == 3


def test_the_guides_own_snippet_reads_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Word for word, but for the path."""
    with closing(PlacedSpool(None, 5)) as results:
        put(results, 0)
        make_writer(tmp_path, results).save(NOW)
    with open(tmp_path / "latest.json") as f:  # noqa: PTH123
        data = json.load(f)
    print(f"Checkpoint: {data['completed_count']} questions")
    print(f"Model: {data['config']['model']['generator_settings']['model']}")
    assert capsys.readouterr().out == "Checkpoint: 1 questions\nModel: m\n"


def test_its_facts_are_read_without_its_results(tmp_path: Path) -> None:
    """And its results one after the other."""
    with closing(PlacedSpool(None, 5)) as results:
        put(results, 3, 0)
        make_writer(tmp_path, results).save(NOW)
    [checkpoint] = find_checkpoints(tmp_path, print)
    assert (checkpoint.completed_count, checkpoint.evaluation_id, checkpoint.timestamp) == (2, "e", NOW)
    assert [result["question_id"] for result in read_results(checkpoint.path)] == [4, 1]


@pytest.mark.parametrize("size_bytes", [0, 1, 150, 300])
def test_a_cut_checkpoint_is_damaged(tmp_path: Path, size_bytes: int) -> None:
    """It is reported and passed over, never half used."""
    with closing(PlacedSpool(None, 5)) as results:
        put(results, 3, 0)
        make_writer(tmp_path, results).save(NOW)
    path = tmp_path / "latest.json"
    path.write_bytes(path.read_bytes()[:size_bytes])
    with pytest.raises(DamagedFile):
        read_checkpoint(path)
    said: list[str] = []
    assert find_checkpoints(tmp_path, said.append) == []
    assert "damaged" in said[0]


def is_damaged(path: Path, content: bytes) -> bool:
    """Return True if the file is reported as damaged with this content, at the latest when its results are read."""
    path.write_bytes(content)
    found, damaged = survey_checkpoints(path.parent)
    assert len(found) + len(damaged) == 1
    try:
        return not found or len(list(read_results(path))) != found[0].completed_count
    except DamagedFile:
        return True


def test_a_checkpoint_is_damaged_wherever_it_ends(tmp_path: Path) -> None:
    """Cut after any byte, and filled up with zeros from there, as a power failure leaves a file that was not fsynced."""
    with closing(PlacedSpool(None, 5)) as results:
        put(results, 3, 0)
        make_writer(tmp_path, results).save(NOW)
    [path] = tmp_path.glob("checkpoint_*.json")
    content = path.read_bytes()
    sizes = range(len(content.rstrip()))
    assert [size for size in sizes if not is_damaged(path, content[:size])] == []
    assert [size for size in sizes if not is_damaged(path, content[:size] + bytes(len(content) - size))] == []
    assert not is_damaged(path, content)


def test_another_programs_json_is_no_checkpoint(tmp_path: Path) -> None:
    """It is left alone, without a word."""
    (tmp_path / "results.json").write_text('{"metadata": {}, "results": [{"a": 1}]}')
    (tmp_path / "list.json").write_text("[1, 2]")
    said: list[str] = []
    assert find_checkpoints(tmp_path, said.append) == []
    assert said == []


@pytest.mark.parametrize(
    ("new_results", "now", "is_due"),
    [(50, 100.0, True), (49, 100.0, False), (50, 10.5, False), (50, 24.9, False), (50, 25.1, True)],
)
def test_saves_take_less_than_a_fiftieth_of_the_time(new_results: int, now: float, is_due: bool) -> None:
    """After a save of 0.3 s the next begins 15 s later, when an interval is full."""
    clock = SaveClock(interval=50)
    clock.note(began=9.7, ended=10.0)
    assert clock.is_due(new_results, now) is is_due


@pytest.mark.parametrize(
    ("seconds", "new_results", "now", "is_due"),
    [(0.3, 0, 100.0, False), (0.3, 1, 10.9, False), (0.3, 1, 11.0, True), (2.0, 1, 13.9, False), (2.0, 1, 14.0, True)],
)
def test_with_save_incremental_the_file_follows_each_answer(seconds: float, new_results: int, now: float, is_due: bool) -> None:
    """At once, when the last save began a second ago; saves that take long take half of the time at most."""
    clock = SaveClock(interval=50, follows_each=True)
    clock.note(began=10.0, ended=10.0 + seconds)
    assert clock.is_due(new_results, now) is is_due


def test_a_models_name_becomes_a_file_name() -> None:
    """Slashes and colons are not for file names."""
    assert sanitize_filename("mistralai/Mistral-7B:v0.3 x") == "mistralai_Mistral-7B_v0.3_x"


def test_the_bytes_of_the_file_stay(tmp_path: Path) -> None:
    """Programs that read it by lines, and older versions of ours, find what they found before."""
    with closing(PlacedSpool(None, 5)) as results:
        results.put(3, b'{"question_id":4}')
        results.put(0, b'{"question_id":1}')
        make_writer(tmp_path, results).save(NOW)
    assert (tmp_path / "latest.json").read_text() == (
        '{"timestamp": "2026-11-23T14:30:22.123456", "completed_count": 2, "completed_indices": [1, 4], "results": [\n'
        '{"question_id":4},\n'
        '{"question_id":1}\n'
        '], "metadata": {"mcqa_flow": {"evaluation_id": "e"}}, '
        '"config": {"model": {"generator_settings": {"model": "m"}}}, "version": "2.0"}\n'
    )
