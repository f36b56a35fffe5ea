"""Short answers are read from replies, and are right as words, as numbers, as lists, or as a yes or no."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.extraction.final_answers import read_final_answer
from tasks.evaluation.extraction.notation import write_plainly
from tasks.evaluation.extraction.short_answers import find_match, grade_short, is_exact_match, measure_f1


@pytest.mark.parametrize(
    ("answer", "reference", "exact", "f1"),
    [
        ("Paris", "Paris", True, 1.0),
        ("the Paris!", "paris", True, 1.0),
        ("Paris, the capital of France", "Paris", False, 0.4),
        ("Denver Broncos", "The Denver Broncos", True, 1.0),
        ("the Broncos of Denver", "Denver Broncos", False, 0.8),
        ("gold and black", "black gold", False, 0.8),
        ("24–10", "24-10", False, 0.0),
        ("10 10 10", "10", False, 0.5),
        ("Levi's Stadium in Santa Clara", "Levis Stadium", False, 4 / 7),
        ("a cat and an owl", "Cat and owl", True, 1.0),
        ("U.S.", "US", True, 1.0),
        ("dog", "cat", False, 0.0),
        ("", "", True, 1.0),
        ("the", "a", True, 1.0),
        ("", "cat", False, 0.0),
        ("Übermut tut gut", "übermut", False, 0.5),
    ],
)
def test_exact_match_and_f1_are_those_of_squad(answer: str, reference: str, exact: bool, f1: float) -> None:
    """The values are those that the published evaluate-v2.0.py gives for these pairs."""
    assert is_exact_match(answer, reference) == exact
    assert measure_f1(answer, reference) == pytest.approx(f1)


@given(st.text(), st.text())
def test_f1_is_a_share_and_does_not_know_which_side_is_right(one: str, other: str) -> None:
    """It is 1 for the same words, and the same both ways."""
    assert 0 <= measure_f1(one, other) <= 1
    assert measure_f1(one, other) == measure_f1(other, one)
    assert measure_f1(one, one) == 1


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("13.0", "13"),
        ("thirteen", "13"),
        ("1,300.0", "1300"),
        ("1.3 million", "1,300,000"),
        ("3 × 10^8 m/s", "3e8 m/s"),
        (r"$\frac{1}{2}$", "0.5"),
        (r"\frac{1}{2}", "1/2"),
        ("1 ½", "1.5"),
        ("0.333", "1/3"),
        ("3.14159", "3.14"),
        ("50%", "0.5"),
        ("0.5", "50%"),
        ("50 percent", "50"),
        ("13", "13 kg"),
        ("13 kilograms", "13 kg"),
        ("about 25 °C", "25 degrees Celsius"),
        ("€5", "5 euros"),
    ],
)
def test_a_number_is_right_in_each_way_to_write_it(answer: str, reference: str) -> None:
    """With its decimals as far as the reference has them, and with its unit or without it."""
    assert find_match(answer, reference) == "number"


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("5", "-5"),
        ("5", ".5"),
        ("2001", "2000"),
        ("3.1", "3.14"),
        ("13 g", "13 kg"),
        ("10 m", "10 km"),
        ("12", "12 Angry Men"),
        ("44", "44 BC"),
        ("1/2/2020", "1/2"),
        ("12:30", "12"),
        ("1/0", "0"),
        ("9" * 5000, "9"),
    ],
)
def test_another_number_is_wrong(answer: str, reference: str) -> None:
    """So is one in another unit, and a number that is only part of the answer."""
    assert find_match(answer, reference) is None


@pytest.mark.parametrize(
    ("answer", "reference", "match"),
    [
        ("The Beatles!", "Beatles", "exact"),
        ("“Ulysses”", "Ulysses", "exact"),
        ("blue, red and green", "red, green, blue", "list"),
        ("1,300; 2,500", "2500, 1300", "list"),
        ("Juliet and Romeo", "Romeo and Juliet", "list"),
        ("−5", "-5", "exact"),
        ("minus eight", "-8", "number"),
        ("8", "-8", None),
        ("[3, 4)", "(3, 4]", None),
        ("{4, 3}", "{3, 4}", "list"),
        ("2:5", "5:2", None),
        ("2 : 5", "2:5", "exact"),
        ("C", "C++", None),
        ("C#", "c#", "exact"),
        ("y > 4", "y < 4", None),
        ("y ≥ 4", "y >= 4", "exact"),
        ("€7", "$7", None),
        (r"\$7", "7 dollars", "number"),
        ("7 cm", "7 m", None),
        (r"7\,\text{cm}", "7 cm", "exact"),
        (r"\frac38", "3/8", "number"),
        (r"\frac{3}{8}", "38", None),
        ("10^4", "104", None),
        ("10^4", "10,000", "number"),
        ("4 500", "4500", "number"),
        ("thirty-four", "34", "number"),
        ("y = 9", "9", "number"),
        ("a+b", "a-b", None),
        ("2 pi", "2", None),
        ("4 May 1990", "May 4, 1990", "date"),
        ("[1,2]", "(1, 2)", None),
        ("(1,2)", "(1, 2)", "list"),
        ("(2, 1)", "(1, 2)", None),
        ("red, red, blue", "red, blue, blue", None),
        ("red, green", "red, green, blue", None),
        ("Yes, it does", "True", "boolean"),
        ("false", "No", "boolean"),
        ("No", "yes", None),
        ("No idea.", "no", None),
        ("Yes and no", "yes", None),
        ("It cannot be determined.", "no", None),
        ("The claim is true.", "yes", "boolean"),
        ("The claim is not true.", "yes", None),
        ("Norway", "no", None),
        ("the", "A", None),
        ("", "Paris", None),
    ],
)
def test_words_lists_and_booleans_are_compared(answer: str, reference: str, match: str | None) -> None:
    """A list in any order, unless the reference stands in brackets."""
    assert find_match(answer, reference) == match


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("Paris", "Paris"),
        ("The answer is Paris, because it is the capital. Really.", "Paris"),
        ("First I thought the answer is Rome.\n\n**Answer:** Paris", "Paris"),
        ("ANSWER: St. Louis. It lies on the Mississippi.", "St. Louis"),
        ("The answer to this question is:\n\n**3.14**", "3.14"),
        (r"So it is \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
        ("6 * 7 = 42\n#### 42", "42"),
        ("It is Paris.", "Paris"),
        ("La réponse est Paris.", "Paris"),
        ("答案是巴黎。", "巴黎"),
        ("- red\n- green\n- blue", "red, green, blue"),
        ("<think>Rome?</think>Paris", "Paris"),
        ("Paris\n\nQuestion: What is the capital of Italy?", "Paris"),
        ("Let me think about the capitals of Europe, one after the other.\n\nParis", "Paris"),
        ("", ""),
    ],
)
def test_the_final_answer_is_read_from_a_reply(reply: str, answer: str) -> None:
    """What it announces last, else its line that can be an answer."""
    assert read_final_answer(reply) == answer


def test_the_best_of_several_accepted_answers_counts() -> None:
    """For the score, for exact match, and for F1."""
    grade = grade_short("The answer is New York.", ("NYC", "New York City", "the new york"))
    assert (grade.match, grade.exact_match, grade.f1) == ("exact", True, 1.0)


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "unit",
    ["the answer is ", "answer ", "1, ", "- a\n", "9", " ", "\n", "\\boxed{", "a and ", "####", '"answer":', "one hundred "],
)
def test_a_long_reply_is_graded_in_linear_time(unit: str) -> None:
    """A model that repeats itself to its limit holds nobody up."""
    assert grade_short(unit * (100_000 // len(unit)), ("Paris",)).match is None


@pytest.mark.parametrize(
    ("reply", "reference"),
    [
        ("She keeps 6 of them.\n#### 6", "6"),
        ("A: 27", "27"),
        ('{"reasoning": "half of 54", "answer": 27}', "27"),
        ("<answer>Oslo</answer>", "Oslo"),
        ("First 3 + 4 = 7.\nSo the final answer is 7.", "7"),
        ("No, wait. Yes.", "yes"),
        ("It is 12. Wait, actually it is 13.", "13"),
        ("27", "He sells half of 54, which is 27.\n#### 27"),
        ("27", r"Half of 54 is \boxed{27}."),
    ],
)
def test_a_final_answer_is_read_where_models_and_solutions_write_it(reply: str, reference: str) -> None:
    """In a reply, and in a reference that is a whole solution."""
    assert grade_short(reply, (reference,)).match


def test_what_is_taken_back_is_not_the_answer() -> None:
    """The word that stands first has been corrected."""
    assert grade_short("No, wait. Yes.", ("no",)).match is None


@given(st.text(max_size=300), st.text(min_size=1, max_size=60))
def test_any_reply_is_graded(reply: str, reference: str) -> None:
    """Whatever a model or a file holds, there is a grade and no error."""
    grade = grade_short(reply, (reference,))
    assert 0 <= grade.f1 <= 1


@given(st.integers(-10_000, 10_000), st.integers(-10_000, 10_000))
def test_two_integers_are_the_same_answer_only_where_they_are_equal(one: int, other: int) -> None:
    """No way of writing makes two numbers one."""
    assert bool(grade_short(f"ANSWER: {one}", (str(other),)).match) == (one == other)


@pytest.mark.parametrize(
    ("reply", "accepted"),
    [
        ("ANSWER: thirty-second", "32nd"),
        ("ANSWER: $40 per week", "$40"),
        ("ANSWER: 30 years old", "30 years"),
        ("Step 3: 6*7 = 42", "42"),
        ("Oslo is the capital of Norway.", "Oslo"),
        ("ANSWER: B negative", "B-negative"),
        ('{"steps": "2+2", "final_answer": "4"}', "4"),
        ("What is 2 + 2? 4.", "4"),
        ("Anna earned $42 this week.", "42"),
        ("Lead melts at 327 °C.", "327 °C"),
        ("Six pens at $7 make 6 * 7 = $42.", "$42"),
        ("She paid $2 million.", "2,000,000"),
        ("The value of x is minus 6.", "-6"),
        ("ANSWER: pi", r"\pi"),
        ("[ANSWER] 42 [/ANSWER]", "42"),
        ("Sum = $20 + $22 = $42", "42"),
        ("ANSWER: 12 hundred", "1200"),
        ("ANSWER: no (4 = 2 * 2)", "no"),
        (r"\boxed{\frac{bc+ad}{bd}}", r"\frac{a}{b} + \frac{c}{d}"),
        ("7 pens at $3 each.\n7 * 3 = 21", "21"),
        ("ANSWER: *.csv", "*.csv"),
        ("ANSWER: __name__", "__name__"),
        ("ANSWER: **options", "**options"),
        ("ANSWER: N2 + 3H2 → 2NH3", "N2 + 3H2 -> 2NH3"),
        (r"ANSWER: $N_2 + 3H_2 \rightarrow 2NH_3$", "N2 + 3H2 -> 2NH3"),
        (r"ANSWER: \ce{NH3}", "NH3"),
        (r"ANSWER: $37^\circ\text{C}$", "37 °C"),
        ("ANSWER: in 1905", "1905"),
        ("The treaty was signed on 28 June 1919.", "June 28, 1919"),
        ("The novel was written by Mary Shelley.", "Mary Shelley"),
        ("Marie Curie discovered polonium.", "Marie Curie"),
        ("The inventor was Rudolf Diesel (1858–1913).", "Rudolf Diesel"),
        ("The composer of this opera is Giuseppe Verdi, an Italian.", "Giuseppe Verdi"),
        ("There are seven days in a week.", "7"),
        ("ANSWER: (-infinity, 3]", r"(-\infty, 3]"),
        ("ANSWER: one half", "half"),
        ("Absolutely.", "yes"),
        ("Of course not.", "no"),
        ("I don't think so.", "no"),
        ("ANSWER: no", "No, because the sum is odd."),
        ("ANSWER: 7, not 8", "7"),
        ("ANSWER: Oslo (not Bergen)", "Oslo"),
        ("ANSWER: Malmo", "Malmö"),
    ],
)
def test_an_answer_is_taken_as_it_is_written(reply: str, accepted: str) -> None:
    """Ordinals, rates, ages, calculations, whom and when a sentence names, a field of JSON, code, chemistry and infinity."""
    assert grade_short(reply, (accepted,)).match


@pytest.mark.parametrize(
    ("reply", "accepted"),
    [
        ("ANSWER: 7 + 2i", "2 + 7i"),
        ("ANSWER: g'", "g"),
        ("The rope weighs 9 g.", "9 kg"),
        ("Tom has 6 plums.", "6 pears"),
        ("It flew on Apollo 13.", "13"),
        ("This is the square root of 6.", "6"),
        ("She paid $2 million.", "$2"),
        ("So x + 1 = 6.", "6"),
        ("ANSWER: 0x3A", "0x4A"),
        ("ANSWER: 19", "1..9"),
        ("ANSWER: 8n", "8"),
        ("ANSWER: No", "NO2"),
        ("ANSWER: Cs", "CS"),
        ("Yes? Hardly.", "yes"),
        ("The contrary is true.", "true"),
        ("ANSWER: 4 mb", "4 Mb"),
        ("ANSWER: 4 GB", "4 Gb"),
        ("ANSWER: $40 per week", "$40 per month"),
        ("ANSWER: twenty-first", "20"),
        ("Oslo is not the capital of Norway.", "Oslo"),
        ("ANSWER: *.csv", ".csv"),
        ("ANSWER: g''", "g'"),
        ("No. 7 is the right one.", "no"),
        ("If n is even, yes.", "yes"),
        ("The novel was not written by Mary Shelley.", "Mary Shelley"),
        ("ANSWER: [3, infinity)", r"(3, \infty)"),
        ("ANSWER: 2NH3 -> N2 + 3H2", "N2 + 3H2 -> 2NH3"),
        ("ANSWER: 1980s", "1980"),
        ("ANSWER: up to 7", "7"),
        ("ANSWER: 7, not 8", "8"),
        ("Yes, but no.", "yes"),
        ("ANSWER: x ≮ 7", "x < 7"),
    ],
)
def test_what_only_looks_alike_is_wrong(reply: str, accepted: str) -> None:
    """Complex parts exchanged, units by their capitals, prices of other things, ordinals, conditions, and what is denied."""
    assert grade_short(reply, (accepted,)).match is None


@given(st.integers(), st.integers())
def test_only_equal_whole_numbers_are_the_same(one: int, other: int) -> None:
    """With thousands set apart or not."""
    assert (find_match(f"{one:,}", str(other)) is not None) == (one == other)


@given(st.text(max_size=80))
def test_an_answer_with_words_is_the_same_as_itself(text: str) -> None:
    """Whatever it is made of; a text of spaces says nothing."""
    assert find_match(text, text) == ("exact" if text.strip() else None) or not write_plainly(text)
