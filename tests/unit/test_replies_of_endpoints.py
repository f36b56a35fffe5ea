"""What a response with status 200 means: an answer, a refusal, or a failure that is never scored."""

import json

import pytest

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.responses import ReportedFailure, read_reply
from tasks.evaluation.errors import NoCompletion, Refused, UnusableReply


def read(body: object, content_type: str = "application/json") -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_reply(content, role="generator", seconds=0.1, content_type=content_type)


def completion(content: object, finish_reason: object = "stop", **message: object) -> dict[str, object]:
    return {"model": "m", "choices": [{"message": {"content": content, **message}, "finish_reason": finish_reason}]}


@pytest.mark.parametrize(
    "reason", [None, "", "stop", "STOP", "eos", "eos_token", "end_turn", "stop_sequence", "complete", "completed", "end-turn"]
)
def test_a_finished_completion_is_an_answer(reason: str | None) -> None:
    """In every server's word for it, and in none."""
    assert read(completion("Bees.", reason)).text == "Bees."


@pytest.mark.parametrize("reason", ["length", "LENGTH", "max_tokens", "MAX_TOKENS", "model_length", "max_output_tokens"])
def test_a_cut_completion_is_an_answer_as_far_as_it_goes(reason: str) -> None:
    """All words for it become one, which marks the answer as truncated."""
    answer = read(completion("Bees are", reason))
    assert (answer.text, answer.is_truncated) == ("Bees are", True)


@pytest.mark.parametrize(
    "reason",
    ["error", "abort", "cancelled", "timeout", "insufficient_system_resource", "unknown", "OTHER", "network_error", 7],
)
@pytest.mark.parametrize("text", ["I think A, an", ""])
def test_a_completion_that_broke_off_is_no_answer(reason: object, text: str) -> None:
    """Nor is one with an end that nobody knows; what it has cost counts."""
    with pytest.raises(UnusableReply, match="broke off"):
        read(completion(text, reason))


@pytest.mark.parametrize("reason", ["content_filter", "safety", "SAFETY", "RECITATION", "PROHIBITED_CONTENT", "sensitive"])
@pytest.mark.parametrize("text", ["The first step is", None])
def test_what_a_filter_ended_is_refused(reason: str, text: str | None) -> None:
    """Whatever text came before it."""
    with pytest.raises(Refused, match="content filter"):
        read(completion(text, reason))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (completion(None, refusal="I must not say."), "I must not say"),
        (completion([{"type": "refusal", "refusal": "I must not say."}]), "I must not say"),
        (completion(None, "tool_calls", tool_calls=[{"function": {"name": "look_up", "arguments": "{}"}}]), "look_up"),
        (completion("", "stop", tool_calls=[{"function": {"name": "look_up", "arguments": {}}}]), "look_up"),
        (completion(None, "function_call", function_call={"name": "look_up", "arguments": "{}"}), "look_up"),
        (completion(None, "tool_use"), "tool"),
    ],
)
def test_what_stands_in_place_of_an_answer_is_refused_in_its_words(body: object, words: str) -> None:
    """A refusal, or a call of a tool that nobody offered."""
    with pytest.raises(Refused, match=words):
        read(body)


def test_an_answer_beside_an_empty_refusal_or_a_tool_call_counts() -> None:
    """Its words are there."""
    assert read(completion("B", refusal=None)).text == "B"
    assert read(completion("B", "tool_calls", tool_calls=[{"function": {"name": "x", "arguments": "{}"}}])).text == "B"


@pytest.mark.parametrize(
    "message",
    [
        {"reasoning_content": "It flies."},
        {"reasoning": "It flies."},
        {"thinking": "It flies."},
        {"reasoning_details": [{"type": "reasoning.text", "text": "It flies."}]},
        {"content": [{"type": "reasoning", "text": "It flies."}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "It flies."}]}]},
        {"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "It flies."}]}]},
    ],
)
def test_reasoning_is_never_the_answer(message: dict[str, object]) -> None:
    """In whichever member or part it stands."""
    answer = read({"choices": [{"message": {"content": None, **message}, "finish_reason": "stop"}]})
    assert (answer.text, answer.reasoning) == ("", "It flies.")


def test_parts_of_text_are_joined_without_those_of_reasoning() -> None:
    """As servers that answer in parts send them."""
    parts = [{"type": "thinking", "thinking": "A?"}, {"type": "output_text", "text": "It is "}, {"type": "text", "text": "B."}]
    assert (read(completion(parts)).text, read(completion(parts)).reasoning) == ("It is B.", "A?")


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "no", "code": 429}, "choices": None},
        {"error": "no"},
        {"choices": [{"error": {"code": 502, "message": "no"}, "message": {"content": "A, b"}, "finish_reason": "stop"}]},
        {"detail": "no"},
        {"message": "no", "code": 500},
        {"success": False},
        {"errors": [{"message": "no"}]},
        {"base_resp": {"status_code": 1002, "status_msg": "rate limit"}, "choices": None},
        {**completion("B"), "error": {"message": "no"}},
    ],
)
def test_a_report_with_status_200_is_no_answer(body: object) -> None:
    """At the top, in the choice, as a text, or in a form of the server's own."""
    with pytest.raises(ReportedFailure):
        read(body)


@pytest.mark.parametrize("error", [None, {}, "", False])
def test_an_empty_report_is_none(error: object) -> None:
    """Some servers send the member with every answer."""
    assert read({**completion("B"), "error": error}).text == "B"


@pytest.mark.parametrize(
    ("content", "content_type", "words"),
    [
        (b"<html><head><title>Log in &amp; go</title></head></html>", "text/html", r"a web page \('Log in & go'\)"),
        (b"<!DOCTYPE html><h1>Welcome</h1>", "application/json", r"a web page \('Welcome'\)"),
        (b'data: {"choices": []}\n\n', "text/event-stream", "a stream of events"),
        (b'data: {"choices": []}', "", "a stream of events"),
        (b"<?xml version='1.0'?><Error>gone</Error>", "application/xml", r"XML \('gone'\)"),
    ],
)
def test_what_no_api_sends_is_described(content: bytes, content_type: str, words: str) -> None:
    """A page by its title; asking again would bring the same."""
    with pytest.raises(NoCompletion, match=words) as caught:
        read(content, content_type)
    assert caught.value.is_foreign


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty reply"),
        (b"upstream gone", "not JSON .'upstream gone'"),
        (b"[]", "no chat completion"),
        (b"{}", "message"),
    ],
)
def test_what_may_have_been_damaged_is_asked_again(content: bytes, words: str) -> None:
    """It is no completion, and need not come from a wrong address."""
    with pytest.raises(NoCompletion, match=words) as caught:
        read(content)
    assert not caught.value.is_foreign


@pytest.mark.timeout(10)
def test_a_page_of_a_million_characters_is_described_at_once() -> None:
    """A pattern that backtracks would hold up every question."""
    with pytest.raises(NoCompletion, match="a web page"):
        read(b"<html>" + b"<title>" * 150_000, "text/html")
