"""What a run costs is reported to the token: every reply that the endpoint counts is counted, whatever came of it."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from flows.commands.cli import main
from tests.support.exam import read_final, run
from tests.support.fake_endpoint import (
    FakeEndpoint,
    Reply,
    answer_by_rule,
    completion,
    error,
    is_grader,
    make_questions,
    prompt_of,
    write_config,
    write_questions,
)

pytestmark = pytest.mark.slow

COUNT = 20


@pytest.fixture(autouse=True)
def surroundings(prefect_server: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up a server, a working directory with questions, and the key in the environment."""
    monkeypatch.setenv("FAKE_KEY", "sk-very-secret")
    write_questions(folder, make_questions(COUNT))


def read_tokens(folder: Path) -> dict[str, dict[str, dict[str, int]]]:
    tokens: dict[str, dict[str, dict[str, int]]] = read_final(folder)["metadata"]["tokens"]
    return tokens


def replies(count: int) -> dict[str, int]:
    """Return what this many replies of the endpoint have cost."""
    return {"prompt_tokens": 10 * count, "completion_tokens": 2 * count, "total_tokens": 12 * count}


def make_costly(endpoint: FakeEndpoint) -> None:
    """Answer question 1 after an empty reply, 2 never, 3 withheld, 4 graded in the third wording, 5 in none."""
    numbers: dict[str, itertools.count[int]] = {}

    def rule(body: dict[str, Any]) -> Reply:
        prompt = prompt_of(body)
        number = next(numbers.setdefault(prompt, itertools.count(1)))
        if not is_grader(body):
            is_empty = "Question 2:" in prompt or ("Question 1:" in prompt and number == 1)
            if "Question 3:" in prompt:
                return completion(None, "content_filter")
            return completion("") if is_empty else answer_by_rule(body)
        has_verdict = "Question 5:" not in prompt and ("Question 4:" not in prompt or number == 3)
        return answer_by_rule(body) if has_verdict else completion("It is right.")

    endpoint.rule = rule


def break_once(endpoint: FakeEndpoint) -> None:
    """Give question 6 at first a reply that costs and holds nothing."""
    rule, broken = endpoint.rule, iter([Reply({"choices": [], "usage": replies(1)})])
    endpoint.rule = lambda body: next(broken, None) or rule(body) if "Question 6:" in prompt_of(body) else rule(body)


def test_every_counted_reply_is_in_the_sums(folder: Path, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]) -> None:
    """Empty, withheld, without a verdict: each stands with its question. What holds nothing was paid for, and no more."""
    make_costly(endpoint)
    break_once(endpoint)
    write_config(folder, endpoint.url, grader=True)
    assert run().is_completed()
    generator, grader = sum(endpoint.asked().values()), sum(endpoint.asked(grader=True).values())
    assert (generator, grader) == (COUNT + 1 + 2 + 1, (COUNT - 2) + 2 + 2)
    assert read_tokens(folder) == {
        "this_run": {"generator": replies(generator), "grader": replies(grader)},
        "all_results": {"generator": replies(generator - 1), "grader": replies(grader)},
    }
    printed = capsys.readouterr().out
    assert "   Tokens, this run: generator 288 (240 prompt + 48 completion), grader 264 (220 prompt" in printed
    assert "   Tokens, all results: generator 276 (230 prompt + 46 completion), grader 264 (220 prompt" in printed
    usage = [result["usage"] for result in read_final(folder)["results"]]
    assert [each["generator"]["total_tokens"] // 12 for each in usage[:6]] == [2, 3, 1, 1, 1, 1]
    assert [each["grader"].get("total_tokens", 0) // 12 for each in usage[:6]] == [1, 0, 0, 3, 3, 1]


@pytest.mark.parametrize("copy", ["checkpoint", "answers"])
def test_what_earlier_runs_have_paid_is_in_the_results(folder: Path, endpoint: FakeEndpoint, copy: str) -> None:
    """A run's own sum is its own, in its checkpoint too; the results' holds all, refusals included, from whichever copy."""
    make_costly(endpoint)
    write_config(folder, endpoint.url, grader=True, parallel_workers=1)
    costly = endpoint.rule
    endpoint.rule = lambda body: error(401, "bad key") if "Question 13:" in prompt_of(body) else costly(body)
    assert run().is_failed()
    first = read_tokens(folder)["this_run"]
    assert json.loads((folder / "checkpoints/latest.json").read_text())["metadata"]["tokens"] == {
        "this_run": first,
        "all_results": first,
    }
    endpoint.rule = costly
    if copy == "answers":
        remove_checkpoints(folder)
    endpoint.forget()
    run()
    assert read_tokens(folder)["this_run"] == {"generator": replies(8), "grader": replies(8)}
    assert read_tokens(folder)["all_results"] == {
        role: {name: first[role][name] + count for name, count in replies(8).items()} for role in ("generator", "grader")
    }


def remove_checkpoints(folder: Path) -> None:
    for path in (folder / "checkpoints").glob("*.json"):
        path.unlink()


def plan(capsys: pytest.CaptureFixture[str], *flags: str) -> Sequence[str]:
    """Return the lines about tokens of a dry run."""
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["score", "--config", "config.yaml", "--dry-run", *flags])
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("Tokens")]


def test_a_dry_run_estimates_what_is_left(folder: Path, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]) -> None:
    """By the mean of the answers that are known; by nothing where none is."""
    write_config(folder, endpoint.url, grader=True)
    assert plan(capsys) == [
        "Tokens still to be paid, generator: unknown, no known answer says what it cost",
        "Tokens still to be paid, grader: unknown, no known answer says what it cost",
    ]
    run(limit=5)
    assert plan(capsys) == [
        "Tokens still to be paid, generator: about 180 (150 prompt + 30 completion), by the mean of 5",
        "Tokens still to be paid, grader: about 180 (150 prompt + 30 completion), by the mean of 5",
    ]
    endpoint.rule = lambda body: error(401, "bad key") if is_grader(body) else answer_by_rule(body)
    run(limit=9, parallel_workers=1)
    [generator, grader] = plan(capsys, "--limit", "9")
    assert generator == "Tokens still to be paid, generator: about 36 (30 prompt + 6 completion), by the mean of 6"
    assert grader == "Tokens still to be paid, grader: about 48 (40 prompt + 8 completion), by the mean of 5"
    run(limit=9)
    endpoint.rule = answer_by_rule
    run()
    assert plan(capsys) == []
