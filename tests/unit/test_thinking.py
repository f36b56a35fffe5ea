"""Thinking is kept apart from what a reply says, in whichever form a model marks it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.extraction.thinking import split_thinking


@pytest.mark.parametrize(
    ("reply", "said", "thinking"),
    [
        ("Paris", "Paris", None),
        ("<think>Rome? No.</think>\n\nParis", "Paris", "Rome? No."),
        ("Rome? No.</think>Paris", "Paris", "Rome? No."),
        ("<thinking>Rome?</thinking>Paris", "Paris", "Rome?"),
        ("<thought>\nRome?\n</thought>\nParis", "Paris", "Rome?"),
        ("<seed:think>Rome?</seed:think>Paris", "Paris", "Rome?"),
        ("<reasoning>Rome?</reasoning><answer>Paris</answer>", "<answer>Paris</answer>", "Rome?"),
        ("[THINK]Rome?[/THINK]Paris", "Paris", "Rome?"),
        ("◁think▷Rome?◁/think▷Paris", "Paris", "Rome?"),
        ("<unused94>thought\nRome?<unused95>Paris", "Paris", "Rome?"),
        ("<|channel>thought\nRome?<channel|>Paris", "Paris", "Rome?"),
        ("<|begin_of_thought|>Rome?<|end_of_thought|>Paris", "Paris", "Rome?"),
        ("<|START_THINKING|>Rome?<|END_THINKING|>Paris", "Paris", "Rome?"),
        ("<|im_start|>think\nRome?<|im_start|>answer\nParis", "Paris", "Rome?"),
        ("Here is my thought process:\nRome?\nHere is my response:\nParis", "Paris", "Rome?"),
        ("<think>Rome?</think>Well: <think>Bonn?</think>Paris", "Well:\nParis", "Rome?\nBonn?"),
        ("Paris. <think>It is no other.</think>", "Paris.", "It is no other."),
        ("<think>A tag <think> is no end.</think>Paris", "Paris", "A tag <think> is no end."),
    ],
)
def test_marked_thinking_is_no_part_of_what_is_said(reply: str, said: str, thinking: str | None) -> None:
    """Some servers strip the opening mark."""
    assert split_thinking(reply) == (said, thinking)


@pytest.mark.parametrize(
    ("reply", "said", "thinking"),
    [
        (
            "<|channel|>analysis<|message|>Rome?<|end|><|start|>assistant<|channel|>final<|message|>Paris<|return|>",
            "Paris",
            "Rome?",
        ),
        ("<|channel|>final<|message|>Paris<|end|><|start|>user<|channel|>final<|message|>Rome", "Paris", None),
        ("<|channel|>analysis<|message|>Rome? Or", "", "Rome? Or"),
        ("analysisWe need a city. Rome?assistantfinalParis", "Paris", "We need a city. Rome?"),
        ("analysisWe need a city. Rome? Or", "", "We need a city. Rome? Or"),
        ("analysis of the map: Paris", "analysis of the map: Paris", None),
        ("Analysis: Paris", "Analysis: Paris", None),
    ],
)
def test_only_the_final_channel_is_said(reply: str, said: str, thinking: str | None) -> None:
    """With the channels' tokens, and without them."""
    assert split_thinking(reply) == (said, thinking)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("<think>Rome? Or", ""),
        ("[THINK]So it is Rome. But wait", ""),
        ("◁think▷Rome", ""),
        ("<unused94>thought\nRome", ""),
        ("<think>Rome? <answer>Paris</answer>", "<answer>Paris</answer>"),
    ],
)
def test_thinking_that_was_cut_says_nothing(reply: str, said: str) -> None:
    """Unless the answer's own tag follows."""
    assert split_thinking(reply)[0] == said


@given(st.text(st.characters(exclude_characters="<[◁sS", exclude_categories=["Cs"])))
def test_text_without_marks_is_kept_as_it_is(text: str) -> None:
    """To the last space."""
    assert split_thinking(text) == (text, None)


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "unit", ["<think>", "</think>", "<think></think>", "<|channel|>final<|message|>", "<|channel|>", "[", "<"]
)
def test_100_000_characters_are_split_in_linear_time(unit: str) -> None:
    """A model that repeats itself to its limit holds nobody up."""
    said, thinking = split_thinking(unit * (100_000 // len(unit)))
    assert len(said) + len(thinking or "") <= 200_000
