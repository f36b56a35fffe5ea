"""The flow in shards: several runs ask the parts of a selection, and the run of the whole finds all that they have scored."""

import shutil
from pathlib import Path

import pytest

from tasks.evaluation.history.evaluations import read_history
from tests.support.exam import COUNT, read_final, run, scored
from tests.support.fake_endpoint import FakeEndpoint, right_count, write_config

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("exam")]


def test_shards_over_one_folder_and_the_whole_ask_each_question_once(folder: Path, endpoint: FakeEndpoint) -> None:
    """Each shard writes the results of its own; those of the whole are complete, and alone in the history."""
    for number in range(3):
        shard = write_config(folder, endpoint.url, name=f"{number}.yaml", shard=f"{number}/3", parallel_workers=8)
        state = run(shard)
        assert str(state.message).startswith(f"Shard {number}/3: accuracy")
        assert read_final(folder)["metadata"]["mcqa_flow"]["selection"]["shard"] == f"{number}/3"
    assert run(write_config(folder, endpoint.url)).is_completed()
    assert set(endpoint.asked().values()) == {1}
    assert len(endpoint.asked()) == COUNT
    assert sum(score for _, score in scored(folder)) == right_count(COUNT)
    entries = read_history(folder / "out").entries
    assert [entry.mark for entry in entries] == ["shard", "shard", "shard", ""]


def test_the_result_storage_alone_carries_shards_to_the_whole(folder: Path, endpoint: FakeEndpoint) -> None:
    """As from machines without a common disk: each has a checkpoint directory of its own."""
    storage = str(folder / "shared")
    for number in range(2):
        own, shard = str(folder / f"machine {number}"), f"{number}/2"
        assert run(
            write_config(folder, endpoint.url, result_storage=storage, checkpoint_directory=own, shard=shard)
        ).is_completed()
        shutil.rmtree(own)
    assert run(write_config(folder, endpoint.url, result_storage=storage)).is_completed()
    assert set(endpoint.asked().values()) == {1}
    assert [number for number, _ in scored(folder)] == list(range(1, COUNT + 1))


def test_a_shard_ends_well_only_when_its_batches_are_in_the_storage(folder: Path, endpoint: FakeEndpoint) -> None:
    """A storage that takes nothing fails the shard; run again, it writes what is missing, and asks nothing."""
    storage = folder / "shared"
    storage.write_text("no folder")
    shard = write_config(folder, endpoint.url, result_storage=str(storage), shard="0/2")
    state = run(shard)
    assert state.is_failed()
    assert "of 6 finished batches are not in" in str(state.message)
    storage.unlink()
    assert run(shard).is_completed()
    assert len(list(storage.iterdir())) == 6
    assert len(endpoint.asked()) == 60
    assert run(write_config(folder, endpoint.url, result_storage=str(storage), checkpoint_directory="other")).is_completed()
    assert set(endpoint.asked().values()) == {1}
