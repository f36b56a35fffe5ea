"""`mcqa retrieve`: retrieval alone, to see what it finds and to choose its settings. No model is asked."""

import argparse
import json
import os
from collections.abc import Iterator, Sequence

import numpy as np

from flows.commands.arguments import read_input_path
from flows.process.terminal import EXIT_DONE, EXIT_UNFINISHED, print_line, print_pairs, printable
from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.loading import find_folder, load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.run.folders import make_own_folder
from tasks.evaluation.run.retrieving import Found, retrieve_all
from tasks.evaluation.statistics.recall import Recall, measure_recall

SHOWN_QUESTIONS, SHOWN_CHARACTERS = 3, 70


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `retrieve`."""
    add = parser.add_argument
    add("--config", type=read_input_path, required=True, metavar="FILE", help="the YAML file of settings")
    add("--limit", type=int, metavar="N", help="retrieve for the first N questions")
    add("--show", type=int, default=SHOWN_QUESTIONS, metavar="N", help=f"show the chunks of N questions ({SHOWN_QUESTIONS})")
    add("--json", action="store_true", help="print a JSON object for each question, and one with the sums")
    parser.set_defaults(run=retrieve)


def retrieve(options: argparse.Namespace) -> int:
    """Retrieve, and print what was found; return 0, or 1 if nothing could be retrieved for some questions.

    Raises:
        UserMistake: the settings, the questions or the corpus cannot be used.
    """
    config = load_config(options.config, Overrides(limit=options.limit))
    if not config.rag.retrieves:
        raise UserMistake(f"{options.config} does not retrieve: set rag.retriever_config, and rag.enabled: true")
    notes: list[str] = []
    found = retrieve_all(
        config,
        find_folder(options.config),
        own_folder=make_own_folder(config),
        keys=KeyReader(os.environ, _refuse_block),
        notify=notes.append if options.json else print_line,
    )
    return _print_json(found, config) if options.json else _print(found, config, options.show)


def _refuse_block(name: str) -> str:
    raise UserMistake(f"mcqa retrieve cannot read Prefect's Secret block {name!r}: write ${{NAME}}")


def _print_json(found: Iterator[Found], config: Config) -> int:
    ranks, failed = [], 0
    for each in found:
        ranks.append(each.rank)
        failed += bool(each.failure)
        failure: JsonObject = {"failure": each.failure} if each.failure else each.record
        print_line(json.dumps({"question_id": each.number, "question": each.question, **failure}))
    sums = {"questions": len(ranks), "failed": failed}
    print_line(json.dumps({**sums, **_measure(ranks, config).to_json()}))
    return EXIT_UNFINISHED if failed else EXIT_DONE


def _print(found: Iterator[Found], config: Config, shown: int) -> int:
    ranks, failures, empty, dropped, chunks = [], [], 0, 0, 0
    for each in found:
        ranks.append(each.rank)
        failures += [f"question {each.number:,}: {each.failure}"] if each.failure else []
        empty += not each.hits and not each.failure
        dropped += len(each.hits) - each.used
        chunks += len(each.hits)
        if len(ranks) <= shown:
            for line in _show(each):
                print_line(printable(line))
    print_pairs([
        ("Questions", f"{len(ranks):,}"),
        ("Chunks", f"{chunks:,}, {chunks / max(len(ranks), 1):.1f} for each question"),
        ("Without any", f"{empty:,} (no chunk reaches the threshold {config.rag.retrieval_score_threshold})"),
        *([("Left out", f"{dropped:,} chunks, by max_context_tokens")] if dropped else []),
        *describe_recall(_measure(ranks, config)),
        *([("Failed", f"{len(failures):,}, the first: {failures[0]}")] if failures else []),
    ])  # fmt: skip
    return EXIT_UNFINISHED if failures else EXIT_DONE


def _measure(ranks: Sequence[int | None], config: Config) -> Recall:
    known = np.array([rank for rank in ranks if rank is not None], dtype=np.int64)
    return measure_recall(known, config.rag.retrieval_top_k)


def _show(found: Found) -> Sequence[str]:
    """Return lines that show the question's chunks, with a star at the one that it was made from."""
    lines = [f"Question {found.number:,}: {_shorten(found.question)}"]
    for place, hit in enumerate(found.hits, start=1):
        mark = "*" if found.rank == place else " "
        lines.append(f" {mark} {hit.score:.4f}  {hit.chunk.chunk_id}  {_shorten(hit.chunk.text)}")
    return lines


def _shorten(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= SHOWN_CHARACTERS else f"{words[: SHOWN_CHARACTERS - 1]}…"


def describe_recall(recall: Recall) -> list[tuple[str, str]]:
    """Return the hit rate and the recall, each with its name; that no record names its source, if none does."""
    if recall.hit_rate is None:
        return [("Hit rate", "not known: no record names the chunk that it was made from")]
    at = ", ".join(f"{k}: {share:.3f}" for k, share in enumerate(recall.at, start=1))
    return [("Hit rate", f"{recall.hit_rate:.3f} ({recall.found:,} of {recall.with_source:,})"), ("Recall at", at)]
