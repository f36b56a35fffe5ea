"""Questions of different runs are the same if their content is, whatever their numbers, order and files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tasks.evaluation.comparing.columns import NO_VALUE, RunColumns, WantedFields, count_choices, read_columns
from tasks.evaluation.comparing.matching import Matching, match_runs
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.reporting.saved_runs import open_saved_run
from tests.support.saved_runs import refused, save_original, save_results, score_all, scored, unusable


def read(folder: Path, records: Sequence[JsonObject], **wanted: str) -> RunColumns:
    return read_columns(open_saved_run(save_results(folder / "results.json", records)), WantedFields(**wanted))  # type: ignore[arg-type]


def list_pairs(matching: Matching, a: RunColumns, b: RunColumns) -> list[tuple[float, float]]:
    """Return the two scores of each common question."""
    rows_a, rows_b = matching.rows
    return list(zip(a.scores[rows_a].tolist(), b.scores[rows_b].tolist(), strict=True))


def test_order_and_numbers_do_not_matter(tmp_path: Path) -> None:
    """The same texts with other numbers, in another order, are the same questions, listed by the first run's numbers."""
    a = read(tmp_path, [scored(2, 0.5, "Two?"), scored(1, 1, "One?"), scored(3, 0, "Three?")])
    b = read(tmp_path, [scored(1, 0.25, "Three?"), scored(2, 0.75, "Two?"), scored(3, 0, "One?")])
    assert list_pairs(match_runs([a, b]), a, b) == [(1, 0), (0.5, 0.75), (0, 0.25)]


def test_another_reference_is_another_question(tmp_path: Path) -> None:
    """A score against another right answer measures something else."""
    a = read(tmp_path, [scored(1, 1, "One?", reference="A"), scored(2, 1, "Two?")])
    b = read(tmp_path, [scored(1, 1, "One?", reference="B"), scored(2, 0, "Two?")])
    assert match_runs([a, b]).count == 1


def test_identical_questions_are_matched_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """The second copy with the second copy, though a checkpoint lists them in the order of completion."""
    a = read(tmp_path, [scored(9, 0.9, "Same?"), scored(4, 0.4, "Same?"), scored(5, 0.5, "Other?")])
    b = read(tmp_path, [scored(1, 0.1, "Same?"), scored(8, 0.8, "Same?"), scored(9, 0.7, "Same?")])
    assert list_pairs(match_runs([a, b]), a, b) == [(0.4, 0.1), (0.9, 0.8)]


def test_only_what_all_have_scored_is_common(tmp_path: Path) -> None:
    """Each pair may share more, which is counted."""
    runs = [read(tmp_path, score_all([1] * count, first)) for first, count in ((1, 4), (2, 4), (4, 4))]
    matching = match_runs(runs)
    assert matching.count == 1
    assert matching.shared == ((4, 3, 1), (3, 4, 2), (1, 2, 4))


def test_nothing_in_common_is_no_error(tmp_path: Path) -> None:
    """It is for the comparison to say."""
    runs = [read(tmp_path, [scored(1, 1, "One?")]), read(tmp_path, [scored(1, 1, "Two?")])]
    assert match_runs(runs).count == 0


def test_the_original_scorers_records_match_ours(tmp_path: Path) -> None:
    """By the same text; its failed requests are questions without a score."""
    ours = read(tmp_path, score_all([1, 0, 1]))
    failed = scored(3, 0) | {"model_answer": "Error: timed out"}
    path = save_original(tmp_path / "original.json", [*score_all([0, 0]), failed, unusable(4)])
    original = read_columns(open_saved_run(path), WantedFields())
    assert list_pairs(match_runs([ours, original]), ours, original) == [(1, 0), (0, 0)]
    assert (original.refused, original.unusable) == (1, 1)


def test_what_has_no_score_is_counted_by_its_reason(tmp_path: Path) -> None:
    """Refused if it was asked, and has an id; the places lead past it."""
    run = read(tmp_path, [refused(1), scored(2, 1), unusable(3), refused(4), scored(5, 0)])
    assert (len(run), run.refused, run.unusable) == (2, 2, 1)
    assert run.places.tolist() == [1, 4]


def test_groups_are_the_values_of_a_field(tmp_path: Path) -> None:
    """Numbers as they are written; a name may lead into an object; a question without a value has no group."""
    records = [
        scored(1, 1, fields={"topic": {"name": "law"}}),
        scored(2, 1, fields={"topic": {"name": 7}}),
        scored(3, 1, fields={"topic": {"name": " law "}}),
        scored(4, 1, fields={"topic": None}),
        scored(5, 1),
    ]
    run = read(tmp_path, records, group_by="topic.name")
    assert run.group_names == ("law", "7")
    assert run.groups.tolist() == [0, 1, 0, NO_VALUE, NO_VALUE]


def test_clusters_are_equal_in_all_runs(tmp_path: Path) -> None:
    """Whatever values came before."""
    a = read(tmp_path, [scored(1, 1, fields={"passage": "p1"}), scored(2, 1, fields={"passage": "p2"})], cluster_by="passage")
    b = read(tmp_path, [scored(1, 1), scored(2, 1, fields={"passage": "p2"})], cluster_by="passage")
    assert a.clusters[1] == b.clusters[1]
    assert len({*a.clusters.tolist(), NO_VALUE}) == 3
    assert b.clusters[0] == NO_VALUE


def test_a_field_with_too_many_values_is_no_group(tmp_path: Path) -> None:
    """An id is refused by name."""
    records = [scored(number, 1, fields={"id": number}) for number in range(1001)]
    with pytest.raises(UserMistake, match=r"cannot group by 'id': .*results\.json has more than 1,000 values"):
        read(tmp_path, records, group_by="id")


def test_a_score_without_a_question_is_refused(tmp_path: Path) -> None:
    """It would match every other such record."""
    with pytest.raises(UserMistake, match=r"record 2 has a score, but no question"):
        read(tmp_path, [scored(1, 1), {"question_id": 2, "score": 1}])


def test_choices_are_counted_where_one_is_right() -> None:
    """Not for a short answer, several right ones, or one that the text does not offer."""
    assert count_choices(scored(1, 1)) == 4
    assert count_choices(scored(1, 1) | {"format": "qa"}) == 0
    assert count_choices(scored(1, 1) | {"evaluation": {"reference_choice": "A, B"}}) == 0
    assert count_choices(scored(1, 1) | {"evaluation": {"reference_choice": "F"}}) == 0
    assert count_choices({"question": "x", "format": "mc"}) == 0


def test_half_a_surrogate_pair_is_matched(tmp_path: Path) -> None:
    """JSON can hold it, and so can an answer that was cut."""
    runs = [read(tmp_path, [scored(1, 1, "\ud800?"), scored(2, 1, "\udc00?")]) for _ in range(2)]
    assert np.array_equal(runs[0].digests, runs[1].digests)
    assert match_runs(runs).count == 2
