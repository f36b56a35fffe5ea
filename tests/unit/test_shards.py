"""Shards: parts of a selection that several runs ask, with the batches of the whole."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.config.processing_settings import Processing
from tasks.evaluation.config.shards import Shard
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.reporting.summary import compute_statistics
from tasks.evaluation.run.batches import choose_batch_size, list_shard
from tasks.evaluation.run.start import begin
from tests.support.evaluation import Evaluation, assert_own_answers, count_asked
from tests.support.fake_endpoint import FakeEndpoint, make_questions, write_questions

COUNT = 40
MODEL = {"generator_settings": {"model": "fake"}}


@given(st.integers(1, 3_000), st.integers(1, 90), st.integers(1, 40))
def test_shards_are_the_batches_of_the_whole(question_count: int, batch_size: int, shard_count: int) -> None:
    """Each question is in one shard, and a shard cut by the same size has batches of the whole."""
    shards = [list_shard(question_count, batch_size, Shard(number, shard_count)) for number in range(shard_count)]
    cut = [list(shard[start : start + batch_size]) for shard in shards for start in range(0, len(shard), batch_size)]
    whole = [list(range(start, min(start + batch_size, question_count))) for start in range(0, question_count, batch_size)]
    assert sorted(cut) == whole


@pytest.mark.parametrize(
    ("question_count", "size"), [(1, 10), (4_000, 10), (4_001, 11), (20_000, 50), (400_000, 1_000), (100_000_000, 1_000)]
)
def test_shared_batches_are_about_four_hundred(question_count: int, size: int) -> None:
    """Of 10 to 1,000 questions, whatever the shard; and where there is a result storage, for the whole too."""
    shard, other, whole = Processing(shard="3/64"), Processing(shard="0/1"), Processing(result_storage="/srv/results")
    assert [choose_batch_size(question_count, each) for each in (shard, other, whole)] == [size] * 3
    assert choose_batch_size(question_count, Processing(shard="3/64", batch_size=7)) == 7


@pytest.mark.parametrize(("text", "shard"), [("0/1", Shard(0, 1)), ("3/4", Shard(3, 4)), (" 007/064 ", Shard(7, 64))])
def test_a_shard_is_counted_from_zero(text: str, shard: Shard) -> None:
    """So that an index of a job array is one as it is."""
    assert Shard.read(text) == shard
    assert Shard.read(str(shard)) == shard


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("4/4", "they are counted from 0, so the last of 4 is 3/4"),
        ("5/4", "so the last of 4 is 3/4"),
        ("1/0", "there must be one part at least; 0/1 is the whole"),
        ("0/0", "there must be one part at least"),
        *[(text, "write which of how many") for text in ("", "3", "a/b", "-1/4", "1/-4", "1/4/2", "1.5/4", "²/4", "1_0/64")],
    ],
)
def test_what_is_no_shard_is_refused(text: str, reason: str) -> None:
    """With one message, in a file as on the command line."""
    with pytest.raises(ValidationError, match="is no shard") as refusal:
        Config.model_validate({"questions_file": "exam.json", "model": MODEL, "processing": {"shard": text}})
    assert reason in str(refusal.value)
    if text:
        with pytest.raises(UserMistake, match=re.escape(f"shard: {text!r} cannot be used: {text!r} is no shard")):
            Overrides.read({"shard": text})


@pytest.mark.parametrize(
    ("beside", "reason"),
    [
        ({"random_selection": 20}, "a shard of a random sample needs random_seed, the same for all"),
        ({"auto_resume": False}, "auto_resume is false, so no other run could use this shard's answers"),
        ({"enable_checkpointing": False}, "enable_checkpointing is false, so no other run could use"),
    ],
)
def test_what_would_lose_a_shard_is_refused(beside: dict[str, object], reason: str) -> None:
    """Before anything is asked."""
    with pytest.raises(UserMistake, match=reason):
        load_config(None, Overrides.read({"questions_file": "exam.json", "model": "fake", "shard": "0/4", **beside}))


def test_the_whole_finds_every_shard_and_asks_the_rest(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """One of three shards is missing and one is half done; the whole asks what is left, and then nothing."""
    evaluation.run({"processing.shard": "0/3"}, run_id="shard 0")
    assert count_asked(endpoint) == (20, 0)
    evaluation.run({"processing.shard": "2/3"}, run_id="shard 2")
    assert count_asked(endpoint) == (10, 0)
    assert_own_answers(evaluation.run(run_id="whole"))
    assert count_asked(endpoint) == (10, 0)
    assert_own_answers(evaluation.run(run_id="again"))
    assert count_asked(endpoint) == (0, 0)


def test_a_whole_that_reuses_nothing_finds_its_own_shards_alone(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """Neither an older run's answers nor another whole's; a retried shard and a retried whole continue their own."""
    anew = {"processing.auto_resume": False}
    shard = {**anew, "processing.whole_run_id": "whole"}
    evaluation.run(run_id="older")
    evaluation.run({**shard, "processing.shard": "0/3"}, run_id="shard 0", batches=1)
    assert count_asked(endpoint) == (10, 0)
    evaluation.run({**shard, "processing.shard": "0/3"}, run_id="shard 0")
    assert count_asked(endpoint) == (10, 0)
    evaluation.run({**shard, "processing.shard": "2/3"}, run_id="shard 2")
    assert_own_answers(evaluation.run(anew, run_id="whole"))
    assert count_asked(endpoint) == (10, 0)
    assert_own_answers(evaluation.run(anew, run_id="whole"))
    assert count_asked(endpoint) == (0, 0)
    evaluation.run({**shard, "processing.shard": "1/3"}, run_id="shard 1")
    assert count_asked(endpoint) == (0, 0)
    assert_own_answers(evaluation.run(anew, run_id="another whole"))
    assert count_asked(endpoint) == (COUNT, 0)


def test_shards_that_share_take_no_notice_of_the_whole(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """Its id concerns those alone that reuse nothing."""
    evaluation.run(run_id="older")
    evaluation.run({"processing.shard": "0/3", "processing.whole_run_id": "whole"}, run_id="shard 0")
    assert count_asked(endpoint) == (0, 0)


def test_a_shard_finds_what_the_whole_has_asked(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """The other way round, and a shard of another number of shards."""
    evaluation.run(run_id="whole", batches=2)
    evaluation.run({"processing.shard": "1/2"}, run_id="shard 1 of 2")
    assert count_asked(endpoint) == (10, 0)
    evaluation.run({"processing.shard": "2/4"}, run_id="shard 2 of 4")
    assert count_asked(endpoint) == (10, 0)
    evaluation.run({"processing.shard": "3/4"}, run_id="shard 3 of 4")
    assert count_asked(endpoint) == (0, 0)


@pytest.mark.parametrize(
    "changed", [{"processing.repeats": 3}, {"processing.random_selection": 30, "processing.random_seed": 5}]
)
def test_repeats_and_samples_have_shards_too(
    evaluation: Evaluation, endpoint: FakeEndpoint, changed: dict[str, object]
) -> None:
    """Of the same sample, and with all of a question's repeats in one shard."""
    for number in range(3):
        evaluation.run({**changed, "processing.shard": f"{number}/3"}, run_id=f"shard {number}")
    evaluation.run(changed, run_id="whole")
    assert count_asked(endpoint) == (0, 0)


def test_a_batch_has_the_key_that_it_has_in_the_whole(evaluation: Evaluation, folder: Path) -> None:
    """Where a question is there several times too: its copies are counted over the file."""
    write_questions(folder, make_questions(17) * 2)
    with evaluation.open({}, run_id="whole") as whole:
        keys = [batch.cache_key for batch in whole.batches.list_open()]
    with evaluation.open({"processing.shard": "1/3"}, run_id="shard") as shard:
        assert [batch.cache_key for batch in shard.batches.list_open()] == keys[1::3]


def test_shards_and_the_whole_run_at_the_same_time(evaluation: Evaluation) -> None:
    """Each holds a lock of its own; the same shard a second time is refused."""
    with (
        evaluation.open({}, run_id="whole"),
        evaluation.open({"processing.shard": "0/2"}, run_id="0"),
        evaluation.open({"processing.shard": "1/2"}, run_id="1"),
        pytest.raises(UserMistake, match="is already running"),
        evaluation.open({"processing.shard": "1/2"}, run_id="2"),
    ):
        pass


def test_a_shard_that_has_no_batch_is_refused(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """With the number of shards that are possible, as soon as the questions are read."""
    reason = "shard 4/5 has nothing to ask: {} questions are {} batches of 10, enough for {} shards"
    with pytest.raises(UserMistake, match=reason.format(40, 4, 4)):
        evaluation.run({"processing.shard": "4/5"})
    config = evaluation.configure({"processing.shard": "4/5", "processing.limit": 12})
    with pytest.raises(UserMistake, match=reason.format(12, 2, 2)), begin(config, Path(), None, print):
        pass
    assert count_asked(endpoint) == (0, 0)


def test_a_retry_keeps_its_shard(evaluation: Evaluation) -> None:
    """And the size of its batches, by which it is cut."""
    evaluation.run({"processing.shard": "0/2"}, batches=1)
    with pytest.raises(UserMistake, match="shard is '0/2' there and '1/2' here"):
        evaluation.run({"processing.shard": "1/2"})
    with pytest.raises(UserMistake, match="batch_size is 10 there and 5 here"):
        evaluation.run({"processing.shard": "0/2", "processing.batch_size": 5})


def test_a_shard_says_what_it_is(evaluation: Evaluation) -> None:
    """Its files hold its number and the size of the whole, and its statistics are its own."""
    with evaluation.open({"processing.shard": "1/3"}, run_id="shard") as run:
        assert (len(run.ledger.questions), compute_statistics(run.ledger).unscored) == (10, 10)
        selection = run.metadata.describe(0)["mcqa_flow"]["selection"]  # type: ignore[call-overload, index]
    assert {name: selection[name] for name in ("shard", "selected_count", "whole_count", "file_count", "batch_size")} == {  # type: ignore[call-overload, index]
        "shard": "1/3",
        "selected_count": 10,
        "whole_count": COUNT,
        "file_count": COUNT,
        "batch_size": 10,
    }
