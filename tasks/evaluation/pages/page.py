"""Writing the page: `mcqa report` and the end of a run come here."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from tasks.evaluation.errors import MAKE_ROOM, StorageFailure, UserMistake
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.pages.accuracy_table import build_run_table
from tasks.evaluation.pages.blocks import BLOCK_ROWS, pack, pack_texts
from tasks.evaluation.pages.facts import describe_missing, list_differences, list_facts, list_prompts, list_tokens
from tasks.evaluation.pages.gathering import Findings, gather
from tasks.evaluation.pages.group_table import build_group_table
from tasks.evaluation.pages.headline import list_sentences, write_headline
from tasks.evaluation.pages.page_index import NO_GROUP, PageIndex, build_index
from tasks.evaluation.pages.pair_table import build_pair_table
from tasks.evaluation.pages.retrieval_table import build_retrieval_table
from tasks.evaluation.pages.run_sheets import ABSENT, FULL_SCORE, REFUSED, UNUSABLE, is_graded
from tasks.evaluation.pages.template import render_page
from tasks.evaluation.pages.texts import ATTEMPT_FIELDS
from tasks.evaluation.pages.wording import name_questions, read_date
from tasks.evaluation.reporting.saved_runs import SavedRun, open_saved_run
from tasks.evaluation.storage.durable_files import replace_file, write_durably, write_pieces
from tasks.evaluation.storage.spool import Spool
from tasks.evaluation.storage.temporary_files import name_temporary_file

MOST_RUNS = 6
ENDING = ".html"
BEGINNING = b"<!doctype html>\n<!-- mcqa report -->"
# A larger page takes a browser seconds to open; then it holds everything but the texts.
MOST_BYTES = 200_000_000
# What the page's own code and head take beside its blocks, rounded up.
HEAD_BYTES = 2_000_000


@dataclass(frozen=True)
class WrittenPage:
    """A page that was written."""

    path: Path
    """Its file."""
    size_bytes: int
    """The file's size."""
    question_count: int
    """The number of questions on it."""
    has_texts: bool
    """False if the texts were left out, because the file would have become too large."""


def write_page(results: Path) -> Path:
    """Write the page of one run beside its results, under their name with the ending `.html`; return its path.

    Raises:
        UserMistake: the results are damaged.
        StorageFailure: the page cannot be written.
    """
    path = results.with_name(results.name.removesuffix(".gz").removesuffix(".json") + ENDING)
    return write_runs([open_saved_run(results)], path).path


def write_runs(
    runs: Sequence[SavedRun], path: Path, *, group_by: str | None = None, most_bytes: int = MOST_BYTES
) -> WrittenPage:
    """Write the page of one to six runs, whole or not at all; return what was written.

    Args:
        runs: the runs, each with a name of its own.
        path: the page's file; a page that is there is replaced.
        group_by: the field whose values are groups; None: the runs' own.
        most_bytes: the size beyond which texts are left out.

    Raises:
        UserMistake: there are more runs, nothing can be compared, a file is damaged, or the path is another kind of file.
        StorageFailure: the page cannot be written.
    """
    check_count(len(runs))
    _check_path(path)
    with ExitStack() as stack:
        blocks, *spools = [stack.enter_context(closing(Spool(path.parent))) for _ in range(1 + len(runs))]
        findings = gather(runs, spools, group_by=group_by)
        index = build_index(findings.sheets, findings.rows)
        packed_index = pack(index.pack())
        has_texts = pack_texts(findings.sheets, findings.rows, blocks, most_bytes - len(packed_index) - HEAD_BYTES)
        context = {
            **describe_head(findings),
            "data": describe_data(findings.runs, index, len(findings.rows), has_texts=has_texts, group_by=findings.group_by),
            "index": packed_index.decode(),
            "blocks": read_blocks(blocks, len(runs)) if has_texts else (),
            "has_texts": has_texts,
        }
        temporary = path.with_name(name_temporary_file("mcqa_report"))
        try:
            pieces = (piece.encode() for piece in render_page(context))
            write_durably(temporary, lambda descriptor: write_pieces(descriptor, pieces), replace_file(path))
            return WrittenPage(path, path.stat().st_size, len(findings.rows), has_texts)
        except OSError as error:
            raise StorageFailure(f"cannot write {path}: {error.strerror or error}; {MAKE_ROOM}") from error


def check_count(count: int) -> None:
    """Check the number of runs.

    Raises:
        UserMistake: it is not one to six.
    """
    if not 1 <= count <= MOST_RUNS:
        raise UserMistake(f"a report shows one to {MOST_RUNS} runs side by side, not {count}")


def describe_head(findings: Findings) -> dict[str, object]:
    """Return what the page's head and tables show."""
    comparison, figures = findings.comparison, findings.figures
    return {
        "runs": findings.runs,
        "figures": figures,
        "statistics": findings.statistics,
        "comparison": comparison,
        "sentences": list_sentences(comparison) if comparison and len(comparison.pairs) > 1 else (),
        "questions": name_questions(findings.runs),
        "dates": tuple(dict.fromkeys(date for date in map(read_date, findings.runs) if date)),
        "headline": write_headline(figures, comparison, is_graded=is_graded(findings.sheets[0])),
        "doubts": findings.doubts,
        "run_table": build_run_table(figures),
        "pair_table": build_pair_table(comparison) if comparison else None,
        "group_table": build_group_table(findings),
        "retrieval_table": build_retrieval_table(findings.statistics),
        "facts": list_facts(findings),
        "differences": list_differences(findings.runs),
        "prompts": list_prompts(findings),
        "tokens": list_tokens(findings),
        "missing": tuple(describe_missing(each, sheet) for each, sheet in zip(figures, findings.sheets, strict=True)),
        "group_by": findings.group_by,
        "row_count": len(findings.rows),
    }


def describe_data(
    runs: Sequence[SavedRun], index: PageIndex, row_count: int, *, has_texts: bool, group_by: str | None
) -> JsonObject:
    """Return what the page's script reads beside the blocks."""
    return {
        "prefix": "",
        "rows": row_count,
        "runs": [{"name": run.name, "model": run.model} for run in runs],
        "group_by": group_by,
        "groups": list(index.groups),
        "labels": list(index.labels),
        "columns": index.describe(),
        "block_rows": BLOCK_ROWS,
        "attempt_fields": list(ATTEMPT_FIELDS),
        "codes": {
            "full_score": FULL_SCORE,
            "unusable": UNUSABLE,
            "refused": REFUSED,
            "absent": ABSENT,
            "no_group": NO_GROUP,
        },
        "has_texts": has_texts,
    }


def read_blocks(blocks: Spool, run_count: int, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Return each block's name, which begins with the prefix, and its content."""
    streams = 1 + run_count
    names = (f"{prefix}texts-{number // streams}-{number % streams}" for number in range(len(blocks)))
    return ((name, blocks.read(number).decode()) for number, name in enumerate(names))


def _check_path(path: Path) -> None:
    try:
        if not path.parent.is_dir():
            raise UserMistake(f"cannot write {path}: the folder {path.parent} does not exist")
        if path.is_dir():
            raise UserMistake(f"cannot write {path}: it is a folder; give another name with -o")
        if path.exists() and not _is_page(path):
            raise UserMistake(f"cannot write {path}: it exists, and is not a report; give another name with -o")
    except OSError as error:
        raise UserMistake(f"cannot write {path}: {error.strerror or error}") from None


def _is_page(path: Path) -> bool:
    """Return True for a page and for an empty file; a pipe or a device is neither, and is not read."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(BEGINNING)) in (BEGINNING, b"")
