"""A reply that settles its choice is read without asking, one that does not is never guessed at."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.evaluation.extraction.choices import ChoiceReading, read_choice

BIRDS = {"A": "robin", "B": "wren", "C": "owl", "D": "crow"}
VITAMINS = {"A": "A", "B": "C", "C": "D", "D": "K"}
METALS = {"A": "iron", "B": "zinc", "C": "Both A and B", "D": "None of these"}
CITIES = {"1": "Oslo", "2": "Bergen", "3": "Tromsø"}
SPEEDS = {"A": "5 m/s", "B": "10 m/s", "C": "15 m/s"}


@pytest.mark.parametrize(
    "reply",
    [
        "ANSWER: C\n\nSecond choice: D",
        "ANSWER: C\n\nHave a nice day! :D",
        "ANSWER: C\nDifficulty: B",
        "**ANSWER: C**\nWrong answers: A, D",
        "**ANSWER: C**. Runner-up: D",
        "ANSWER: C\n\nMost people pick D.",
        "ANSWER: C\n\nIf it had to be black, the answer would be D.",
        "ANSWER: C\n\nExplanation: D is correct in other contexts.",
        "ANSWER: C\n\nRegards,\nD.",
        "C\n\nAlternative: B",
        "C\nRuled out: A, B",
        "C. If I had to pick another, I'd pick B.",
        "C\n\nOne might think the answer is B.",
        "C. owl\n\nTopic: D. Zoology",
        "C\n\nI hope this helps! A",
        "ANSWER: C\n\nHuman: and which is black?\nANSWER: D",
        "ANSWER: A\n\nWait, robins do not hunt at night.\n\nANSWER: C",
        "ANSWER: A\n\nOn reflection the answer is C.",
        "Student answer: A\nCorrect answer: C",
        "First answer: A. Second answer: B. Final answer: C.",
        "Many students choose A, but the answer is C.",
        "The answer is C. None of the others hunt at night.",
        "C\n\nWhich one sings?\nA) lark\nB) gull\nAnswer: A",
        "C###Question: Which one sings? Answer: A",
        "C\n### Question\nWhich one sings?\n### Answer\nA",
        "C Question: Which one sings? Answer: A",
    ],
)
def test_what_follows_an_answer_takes_nothing_from_it(reply: str) -> None:
    """Unless it takes the answer back in the same form or in words."""
    assert read_choice(reply, BIRDS) == ChoiceReading(("C",), is_certain=True)


@pytest.mark.parametrize(
    "reply",
    [
        "[THINK]A? No.[/THINK]C",
        "analysisIt hunts at night. A?assistantfinalC",
        "<|channel|>analysis<|message|>A?<|end|><|start|>assistant<|channel|>final<|message|>**C**<|return|>",
        "ANSWER: <|begin_of_box|>C<|end_of_box|>",
        "C<|eot_id|>",
        "C<|end_of_text|>\n<|start_header_id|>user<|end_header_id|>\n\nANSWER: A",
        "<|assistant|>\nC",
        "[/INST] C",
        "[[C]]",
        "Answer: <C>",
        "{C}",
        r"\boxed{\mathbf{\text{C}}}",
        r"$\boxed{\textbf{(C)}}$",
        r"\fbox{C}",
        "boxed{C}",
        "答案：Ｃ",
        "正确答案为（Ｃ）",
        "ANSWER: С",
        "ANSWER: 𝐂",
        "Ⓒ",
        "🅲",
        "ANSWER:\u200bC",
        "Vastaus: C",
        '{"final_answer": "C", "confidence": 0.9}',
        '{"reasoning": "A sings", "answer_choice": "C"}',
        "<ans>C</ans>",
        "<answer> C",
        "<final_answer>c</final_answer>",
        "### Final Answer: C",
        "👉 **C**",
        "Answer\nC",
        "- [ ] A. robin\n- [ ] B. wren\n- [x] C. owl\n- [ ] D. crow",
        "☐ robin\n☐ wren\n☑ owl\n☐ crow",
        "[ ] A\n[ ] B\n[✓] C\n[ ] D",
        "The most likely hunter is C.",
        "The most suitable candidate would be (C), given its eyes.",
        "The best match is therefore owl (C).",
        "The quietest bird is C) owl.",
        "A sings by day. B sings, too.\n\nSo the hunter we look for is **owl (C)**.",
    ],
)
def test_a_choice_is_read_in_every_form(reply: str) -> None:
    """Tokens, boxes, brackets, fields, tags, and letters that look alike."""
    assert read_choice(reply, BIRDS) == ChoiceReading(("C",), is_certain=True)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "ANSWER: A or C",
        "The answer is (A, C).",
        "ANSWER: (A,C)",
        r"\boxed{\{A, C\}}",
        "ANSWER: AC",
        "ABCD",
        "ANSWER: None of the above",
        "The closest is A, but it is too small.\n\nThe answer is (none of the above)",
        "It was A before. I cannot tell.\n\nThe answer is ( )",
        "ANSWER: E",
        "ANSWER: not listed",
        "None of the options is correct.",
        '{"answer": null}',
        '{"answer_index": 1}',
        "I'm sorry, but I can't help with that.",
        "<think>It could be A. So the answer is",
        "N/A",
        "The correct answer is",
        "A. B. C. D.",
    ],
)
def test_a_reply_that_clearly_chooses_nothing_is_not_asked_about(reply: str) -> None:
    """Two choices where one is asked for, a choice that is not offered, none, a refusal, nothing."""
    assert read_choice(reply, BIRDS) == ChoiceReading((), is_certain=True)


@pytest.mark.parametrize(
    "reply",
    [
        "It hunts mice in the dark.",
        "It could be A, it could be C.",
        "The answer is A. Wait, that's not right.",
        "A is true. C is true, too.",
        "A\n\nExplanation: it hunts at night. So the answer is C.",
        "ANSWER: A\n\nTherefore the answer is C.",
        "Suppose A is true. Then B follows.",
        "My grade was B.",
        "Some would say that the answer is A.",
        "ANSWER: A\n\nNone of the options is correct.",
        "My colleague said the answer is A.",
        'A candidate wrote "A". Please mark it.',
        '"The answer is A" would be a mistake.',
        "It would be misleading to say that the answer is A.",
        "Nobody claims that the answer is owl.",
        "I doubt that the answer is A.",
        "A is what most learners pick.",
        "A is a popular distractor.",
        "The answer was A in the previous edition.",
        "According to some teachers, the answer is A.",
        "The answer is A. No, it can't be. I give up.",
        "Option A: robin. Option B: wren. The correct option is",
        "A. robin: it sings.\nB. wren: it is small.\nC. owl: it is",
        "正解はAではありません。",
        "정답은 A가 아닙니다.",
        "The least likely bird is A.",
        "The most popular choice is A.",
        "ANSWER: B\n\nSorry, I meant to choose another bird.",
        '{"answer": "B", "corrected_answer": "E"}',
        "ANSWER: anything but B",
        "ANSWER: no B",
        "The answer is B or, just as well, C.",
        "Let me consider option A.",
    ],
)
def test_a_reply_that_does_not_settle_its_choice_is_uncertain(reply: str) -> None:
    """Its words may choose in a way that is not understood, or contradict themselves."""
    assert read_choice(reply, BIRDS) == ChoiceReading((), is_certain=False)


@pytest.mark.parametrize(
    ("reply", "choices", "label"),
    [
        ("Vitamin D is made in the skin, vitamin C is not.\n\nANSWER: B", VITAMINS, "B"),
        ("The answer is vitamin C.", VITAMINS, "B"),
        ("ANSWER: Both A and B", METALS, "C"),
        ("ANSWER: None of these", METALS, "D"),
        ("Option 2 is right.", CITIES, "2"),
        ("**Answer: 3. Tromsø**\n\nRank: 1", CITIES, "3"),
        (r"v = 5 + 10, hence \boxed{15\ \text{m/s}}", SPEEDS, "C"),
    ],
)
def test_choices_that_look_like_labels_are_told_apart(reply: str, choices: dict[str, str], label: str) -> None:
    """And numbers, quantities and choices that name other choices."""
    assert read_choice(reply, choices) == ChoiceReading((label,), is_certain=True)


@pytest.mark.parametrize(
    ("reply", "labels"),
    [
        ("ANSWER: A, C", ("A", "C")),
        ("A, C, and D", ("A", "C", "D")),
        ("AC", ("A", "C")),
        ('["B", "D"]', ("B", "D")),
        (r"\boxed{A,B,D}", ("A", "B", "D")),
        ("{A, B}", ("A", "B")),
        ("【答案】ABD", ("A", "B", "D")),
        ("All except B and D.", ("A", "C")),
        ("ANSWER: all of the above", ("A", "B", "C", "D")),
        ("A. robin\nC. owl", ("A", "C")),
        ("The correct options are (B) and (D).", ("B", "D")),
        ("ANSWER:\n- B\n- D", ("B", "D")),
        ("ANSWER: B/D", ("B", "D")),
        ("ANSWER: everything but C", ("A", "B", "D")),
        ("ANSWER: D", ("D",)),
    ],
)
def test_several_right_choices_are_read(reply: str, labels: tuple[str, ...]) -> None:
    """In every form in which models list them."""
    assert read_choice(reply, BIRDS, several=True) == ChoiceReading(labels, is_certain=True)


PIECES = [
    *("A", "(B)", "C. owl", "the answer is", "ANSWER:", "not", "wait", "or", ", ", "\n", ". "),
    *("<think>", "</think>", r"\boxed{", "}", '"'),
]


@settings(max_examples=200, deadline=2000)
@given(st.one_of(st.text(max_size=300), st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join)), st.booleans())
def test_any_text_is_read_without_an_error(reply: str, several: bool) -> None:
    """Labels are among those offered, each once and in order, more than one only where several are right."""
    labels = read_choice(reply, BIRDS, several=several).labels
    assert list(labels) == sorted(set(labels) & BIRDS.keys())
    assert several or len(labels) <= 1


@pytest.mark.parametrize(
    "reply",
    [
        "Rätt svar är B.",
        "Doğru cevap B.",
        "Jawaban yang benar adalah B.",
        "Câu trả lời đúng là B.",
        "सही उत्तर B है।",
        "Vastaus on B",
    ],
)
def test_a_short_sentence_that_gives_the_answer_is_read_in_further_languages(reply: str) -> None:
    """The word for an answer and one label are enough."""
    assert read_choice(reply, {"A": "ant", "B": "bee", "C": "cat"}) == ChoiceReading(("B",), is_certain=True)
