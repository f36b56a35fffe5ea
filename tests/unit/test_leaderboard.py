"""The leaderboard of a suite: every number as a hand, scipy and statsmodels compute it."""

import csv
import json
from pathlib import Path

import pytest
from scipy.stats import binom
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from tasks.evaluation.comparing.comparison import compare_runs
from tasks.evaluation.comparing.names import open_named_runs
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.leaderboard.board import Board
from tasks.evaluation.leaderboard.cells import CellResult
from tasks.evaluation.leaderboard.leaderboard import make_leaderboard, write_leaderboard
from tasks.evaluation.leaderboard.table import describe_leaders, list_rows
from tests.support.leaderboards import lack, make_cell
from tests.support.saved_runs import describe_run, refused, score_all, scored, unusable

# Of 40 questions: best has 30 right, next 28 of the same 30, last 8 of these.
BEST, NEXT, LAST = [1] * 30 + [0] * 10, [1] * 28 + [0] * 12, [1] * 8 + [0] * 32


def make_board(*cells: CellResult) -> Board:
    [board] = make_leaderboard(cells).boards
    return board


def mid_p(fewer: int, more: int) -> float:
    """Return McNemar's mid-p of discordant pairs, by scipy."""
    return float(2 * binom.cdf(fewer, fewer + more, 0.5) - binom.pmf(fewer, fewer + more, 0.5))


def test_cells_are_ranked_with_their_intervals(tmp_path: Path) -> None:
    """By accuracy, with Wilson's interval of statsmodels."""
    board = make_board(make_cell(tmp_path, "last", LAST), make_cell(tmp_path, "best", BEST), make_cell(tmp_path, "next", NEXT))
    assert [(row.cell.model, row.accuracy) for row in board.rows] == [("best", 0.75), ("next", 0.7), ("last", 0.2)]
    interval = board.rows[0].figures and board.rows[0].figures.interval
    assert interval
    assert (interval.low, interval.high) == pytest.approx(proportion_confint(30, 40, method="wilson"))


def test_differences_are_paired_and_adjusted_over_all_pairs(tmp_path: Path) -> None:
    """McNemar's mid-p by scipy, Holm's adjustment by statsmodels."""
    board = make_board(make_cell(tmp_path, "best", BEST), make_cell(tmp_path, "next", NEXT), make_cell(tmp_path, "last", LAST))
    assert [(pair.a, pair.b, pair.n) for pair in board.pairs] == [
        ("best", "next", 40),
        ("best", "last", 40),
        ("next", "last", 40),
    ]
    assert [pair.found.difference for pair in board.pairs] == pytest.approx([2 / 40, 22 / 40, 20 / 40])
    p_values = [mid_p(0, 2), mid_p(0, 22), mid_p(0, 20)]
    assert [pair.found.p for pair in board.pairs] == pytest.approx(p_values)
    assert [pair.p_adjusted for pair in board.pairs] == pytest.approx(multipletests(p_values, method="holm")[1])


def test_who_cannot_be_told_apart_shares_a_letter(tmp_path: Path) -> None:
    """And the best with those that cannot be told apart from it are the leaders."""
    board = make_board(make_cell(tmp_path, "best", BEST), make_cell(tmp_path, "next", NEXT), make_cell(tmp_path, "last", LAST))
    assert [(row.letters, row.is_leader) for row in board.rows] == [("a", True), ("a", True), ("b", False)]


def test_two_cells_are_compared_as_mcqa_compare_does(tmp_path: Path) -> None:
    """On the questions that both have scored, with the same interval and p."""
    a = make_cell(tmp_path, "a", [*score_all([1] * 6 + [0] * 3), refused(10)])
    b = make_cell(tmp_path, "b", [refused(1), *score_all([1, 0, 0, 1, 0, 0, 0, 1, 1], first=2)])
    [pair] = make_board(a, b).pairs
    [compared] = compare_runs(open_named_runs([f"a={a.results_file}", f"b={b.results_file}"])).pairs
    assert (pair.n, pair.found) == (compared.n, compared.found) == (8, compared.found)


def test_a_cell_with_few_scores_takes_nothing_from_the_others(tmp_path: Path) -> None:
    """Each two are compared on the questions that both have scored."""
    board = make_board(make_cell(tmp_path, "a", BEST), make_cell(tmp_path, "b", LAST), make_cell(tmp_path, "few", [1, 0]))
    assert {(pair.a, pair.b): pair.n for pair in board.pairs} == {("a", "few"): 2, ("a", "b"): 40, ("few", "b"): 2}


def test_a_tie_keeps_the_order_of_the_suite(tmp_path: Path) -> None:
    """And has one letter."""
    board = make_board(make_cell(tmp_path, "z", [1, 0]), make_cell(tmp_path, "a", [0, 1]))
    assert [(row.cell.model, row.letters) for row in board.rows] == [("z", "a"), ("a", "a")]
    assert describe_leaders(board) == "z scores highest, but is not better than any other beyond doubt"


def test_a_missing_cell_is_listed_with_its_reason(tmp_path: Path) -> None:
    """It has no accuracy, and none of 0; one whose file is damaged is missing too."""
    (tmp_path / "broken.json").write_text("{")
    broken = CellResult("broken", "exam.json", "", tmp_path / "broken.json", "")
    board = make_board(lack("gone", "the endpoint did not answer"), make_cell(tmp_path, "a", [1, 1, 0]), broken)
    assert [(row.cell.model, row.accuracy, row.letters) for row in board.rows] == [
        ("a", 2 / 3, "a"),
        ("gone", None, ""),
        ("broken", None, ""),
    ]
    assert board.rows[1].cell.missing == "the endpoint did not answer"
    assert "broken.json" in board.rows[2].cell.missing


def test_a_cell_without_a_score_is_listed_and_compared_with_nothing(tmp_path: Path) -> None:
    """As where the endpoint has refused every question."""
    board = make_board(make_cell(tmp_path, "a", [1, 0]), make_cell(tmp_path, "mute", [refused(1), refused(2)]))
    assert [(row.cell.model, row.accuracy, row.letters, row.is_leader) for row in board.rows] == [
        ("a", 0.5, "a", True),
        ("mute", None, "", False),
    ]
    assert board.pairs == ()


def test_each_questions_file_has_a_board(tmp_path: Path) -> None:
    """With cells, pairs and letters of its own."""
    other = [scored(n, 1, f"Other {n}?") for n in (1, 2)]
    cells = [
        make_cell(tmp_path, "a", [1, 1, 0]),
        make_cell(tmp_path, "a", other, questions="other.json"),
        make_cell(tmp_path, "b", [1, 0, 0]),
        lack("b", "stopped", questions="other.json"),
    ]
    boards = make_leaderboard(cells).boards
    assert [(board.questions, len(board.rows), len(board.pairs)) for board in boards] == [
        ("exam.json", 2, 1),
        ("other.json", 2, 0),
    ]


def test_several_boards_have_an_overview(tmp_path: Path) -> None:
    """By the mean, in which each file counts the same; none without all of them."""
    one = [scored(1, 1, "Other?")]
    cells = [
        make_cell(tmp_path, "a", [1, 1, 0, 0]),
        make_cell(tmp_path, "a", one, questions="other.json"),
        make_cell(tmp_path, "b", [1, 1, 1, 1]),
        make_cell(tmp_path, "b", one, questions="other.json"),
        make_cell(tmp_path, "c", [1, 1, 1, 1]),
        lack("c", "stopped", questions="other.json"),
    ]
    first, _, *lines = make_leaderboard(cells).to_markdown().splitlines()
    assert first == "1 of 6 cells lacks results: c on other.json (stopped)"
    assert lines[0] == "## Overview"
    assert [[cell.strip() for cell in line.split("|")[1:-1]] for line in (lines[2], *lines[4:7])] == [
        ["cell", "exam.json", "other.json", "mean"],
        ["b", "1.0000 a", "1.0000 a", "1.0000"],
        ["a", "0.5000 a", "1.0000 a", "0.7500"],
        ["c", "1.0000 a", "no results", ""],
    ]


def test_a_cell_with_few_scores_leads_nothing(tmp_path: Path) -> None:
    """It stands below the others, however high its accuracy."""
    few = make_cell(tmp_path, "few", [1, 1], metadata=describe_run(40, model="few"))
    none = make_cell(tmp_path, "none", [unusable(1)], metadata=describe_run(1, model="none"))
    board = make_board(none, few, make_cell(tmp_path, "a", LAST), make_cell(tmp_path, "b", BEST))
    assert [(row.cell.model, row.accuracy) for row in board.rows] == [("b", 0.75), ("a", 0.2), ("few", 1.0), ("none", None)]
    assert [row["missing"] for row in list_rows(board)] == ["", "", "38 not scored yet", "1 cannot be asked"]


def test_two_cells_of_one_name_are_refused(tmp_path: Path) -> None:
    """Nobody could tell whose numbers are whose."""
    with pytest.raises(UserMistake, match="two cells on the same questions are called 'a'"):
        make_leaderboard([make_cell(tmp_path, "a", [1]), lack("a", "stopped")])


def test_cells_with_other_questions_are_doubted(tmp_path: Path) -> None:
    """Although they are listed as asked the same file; they are compared on what they share."""
    board = make_board(make_cell(tmp_path, "a", [1, 1, 0]), make_cell(tmp_path, "b", score_all([1, 0, 1], first=3)))
    assert [pair.n for pair in board.pairs] == [1]
    assert any(doubt.startswith("other questions: ") for doubt in board.doubts)


def test_conditions_are_held_against_the_first_model_by_model(tmp_path: Path) -> None:
    """In a sentence each, with p adjusted for their number alone, not for that of all pairs."""
    cells = [
        make_cell(tmp_path, "helped", LAST, condition="alone"),
        make_cell(tmp_path, "helped", BEST, condition="rag"),
        make_cell(tmp_path, "same", NEXT, condition="alone"),
        make_cell(tmp_path, "same", BEST, condition="rag"),
    ]
    board = make_board(*cells)
    assert [(e.model, e.condition, e.base) for e in board.effects] == [("helped", "rag", "alone"), ("same", "rag", "alone")]
    adjusted = [effect.pair.p_adjusted for effect in board.effects if effect.pair]
    assert adjusted == pytest.approx(multipletests([mid_p(0, 22), mid_p(0, 2)], method="holm")[1])
    assert board.effects[0].sentence.startswith("helped/rag is better than helped/alone by 55.0 points (")
    assert board.effects[0].sentence.endswith(", p < 0.001 adjusted for 2 pairs")
    assert "- rag helps 1 (helped) of 2 models, and harms none, against alone; for 1 it cannot be told" in (
        make_leaderboard(cells).to_markdown()
    )


def test_a_condition_without_results_is_not_compared(tmp_path: Path) -> None:
    """And the sentence says so."""
    cells = [make_cell(tmp_path, "m", [1, 0], condition="alone"), lack("m", "stopped", condition="rag")]
    [effect] = make_board(*cells).effects
    assert (effect.pair, effect.sentence) == (None, "m/rag and m/alone cannot be compared: m/rag has no results")


def test_conditions_are_no_doubt_and_prompts_are(tmp_path: Path) -> None:
    """Conditions differ on purpose; two models under one condition should not."""
    own = describe_run(2, model="b", evaluation={"prompt": {"mc": "other"}})
    cells = [
        make_cell(tmp_path, "a", [1, 0], condition="alone"),
        make_cell(tmp_path, "a", [1, 0], condition="rag", metadata=own),
        make_cell(tmp_path, "b", [1, 0], condition="rag"),
    ]
    [doubt] = make_board(*cells).doubts
    assert doubt.startswith("another prompt: a/rag and b/rag ")


def test_tokens_cost_and_time_come_from_the_file(tmp_path: Path) -> None:
    """The time from each record; what a file does not say is unknown, not 0."""
    tokens: JsonObject = {"all_results": {"generator": {"total_tokens": 1200}, "grader": {"total_tokens": 34}}}
    records = [{**scored(1, 1), "model_time_seconds": 1.0}, {**scored(2, 0), "model_time_seconds": 2.0}]
    known = make_cell(tmp_path, "known", records, metadata={"tokens": tokens, "cost": {"all_results": {"total": 0.25}}})
    markdown = make_leaderboard([known, make_cell(tmp_path, "unknown", [0, 0])]).to_markdown()
    first, second = markdown.splitlines()[4:6]
    assert [cell.strip() for cell in first.split("|")][-4:-1] == ["1,234", "0.25", "1.50"]
    assert [cell.strip() for cell in second.split("|")][-4:-1] == ["unknown", "unknown", "unknown"]


def test_clusters_count_as_in_compare(tmp_path: Path) -> None:
    """With the field that the runs themselves name."""
    records = [scored(n, n % 2, fields={"passage": f"p{n // 3}"}) for n in range(1, 10)]
    settings = describe_run(9, settings={"fields": {"cluster_by": "passage"}})
    a, b = (make_cell(tmp_path, name, records, metadata=settings) for name in "ab")
    turned = [{**record, "score": 1 - n % 2 if n < 4 else n % 2} for n, record in enumerate(records, start=1)]
    c = make_cell(tmp_path, "c", turned, metadata=settings)
    assert {pair.found.interval_method for pair in make_board(a, b, c).pairs} == {"clustered-t", "bonett-price"}


def test_the_markdown_is_a_table_for_people(tmp_path: Path) -> None:
    """Aligned, so that a terminal shows it as well; nothing from outside is markup."""
    cells = [make_cell(tmp_path, "a_b", BEST), make_cell(tmp_path, "<c>", LAST), lack("d", "stopped | early")]
    lines = make_leaderboard(cells).to_markdown().splitlines()[2:]
    assert lines[0] == "## exam.json"
    assert len({len(line) for line in lines[2:7]}) == 1
    assert lines[4].startswith("| a\\_b   | ")
    assert "&lt;c>" in lines[5]
    assert "no results" in lines[6]
    assert lines[8].startswith("a\\_b is better than each other cell.")
    assert "- d: stopped \\| early" in lines
    assert "p < 0.001" in lines[5]


def test_the_files_hold_every_cell(tmp_path: Path) -> None:
    """Markdown, CSV and JSON; what is unknown is empty or null."""
    cells = [make_cell(tmp_path, "a", [1, 1]), lack("=b", "stopped")]
    written = write_leaderboard(make_leaderboard(cells), tmp_path / "suite", "board")
    assert [path.name for path in written][:3] == ["board.md", "board.csv", "board.json"]
    rows = list(csv.DictReader(written[1].read_text("utf-8-sig").splitlines()))
    assert [(row["model"], row["accuracy"], row["cost_usd"], row["missing"]) for row in rows] == [
        ("a", "1.0", "", ""),
        ("'=b", "", "", "stopped"),
    ]
    [board] = json.loads(written[2].read_text())["boards"]
    assert [row["figures"] and row["figures"]["accuracy"] for row in board["rows"]] == [1.0, None]


def test_no_cells_make_an_empty_leaderboard(tmp_path: Path) -> None:
    """And files that say nothing."""
    assert make_leaderboard([]).to_markdown() == ""
    assert write_leaderboard(make_leaderboard([]), tmp_path, "board")
