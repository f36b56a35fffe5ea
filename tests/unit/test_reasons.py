"""Why cells lack results, in one sentence: those with the same reason are named together, and it stays short."""

from tasks.evaluation.leaderboard.reasons import group_by_reason

NO_MODEL = "the generator answered 404: no such model; check the model's name"


def test_cells_with_the_same_reason_are_named_together() -> None:
    """Once, before reasons of fewer cells, however many questions it is in each."""
    cells = [
        ("a,bio", "not begun"),
        ("b,bio", f"20 of 120 questions not scored: {NO_MODEL}"),
        ("c,bio", f"1,120 of 1,120 questions not scored: {NO_MODEL}"),
        ("d,bio", NO_MODEL),
    ]
    assert group_by_reason(cells) == f"3 cells: b,bio, c,bio, d,bio ({NO_MODEL}); a,bio (not begun)"


def test_a_reason_of_all_cells_is_not_counted() -> None:
    """Their number stands before them."""
    assert group_by_reason([("a", "not begun"), ("b", "not begun")]) == "a, b (not begun)"


def test_a_reason_of_one_cell_keeps_its_count() -> None:
    """There is nothing that it would differ from."""
    message = f"20 of 120 questions not scored: {NO_MODEL}"
    assert group_by_reason([("a", message)]) == f"a ({message})"


def test_of_many_cells_a_few_are_named() -> None:
    """And the message counts the others, those of the same reason and those of other reasons."""
    cells = [*((f"m{number}", "not begun") for number in range(1, 11)), *((f"x{reason}", f"why {reason}") for reason in "abcd")]
    assert (
        group_by_reason(cells)
        == "10 cells: m1, m2, m3, m4 and 6 more (not begun); xa (why a); xb (why b); 2 more cells for other reasons"
    )


def test_a_long_reason_is_cut() -> None:
    """It was said in full when the cell ended."""
    assert group_by_reason([("a", "x" * 500)]) == f"a ({'x' * 160}…)"
