"""Retrieval for the questions of a run without asking a model: what would be put before which question."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.endpoints.event_loop import EventLoopThread
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.questions import Question, Questions
from tasks.evaluation.questions.selection import Selection
from tasks.evaluation.retrieval.hits import Hit, describe_hits, fit_tokens, rank_source
from tasks.evaluation.retrieval.opening import Asking, find_source, open_retriever
from tasks.evaluation.retrieval.retriever import Retriever
from tasks.evaluation.run.start import read_all

BATCH = 256


@dataclass(frozen=True)
class Found:
    """What was retrieved for one question."""

    number: int
    """The question's place in the selection, from 1."""
    question: str
    """Its text."""
    hits: list[Hit]
    """The chunks, the best first."""
    used: int
    """How many of them fit `max_context_tokens`."""
    rank: int | None
    """The place of the chunk that it was made from, from 1; 0: not found; None: not known."""
    failure: str
    """Why nothing could be retrieved; empty if it could."""
    record: JsonObject
    """The same as results hold it."""


def retrieve_all(
    config: Config, config_folder: Path, *, own_folder: Path | None, keys: KeyReader, notify: Callable[[str], None]
) -> Iterator[Found]:
    """Yield what is retrieved for each question that can be asked.

    Raises:
        UserMistake: the questions or the retriever cannot be used.
        EvaluationError: nothing more can be encoded until somebody acts.
    """
    with closing(read_all(config, own_folder)) as every, EventLoopThread() as loop:
        processing = config.processing
        questions = every.select(Selection(processing.random_selection, processing.random_seed or 0, processing.limit))
        source = find_source(config, config_folder, own_folder)
        assert source is not None, "the caller has seen that the settings retrieve"
        with open_retriever(source, Asking(keys, loop), notify) as retriever:
            yield from _find(config, questions, retriever)


def _find(config: Config, questions: Questions, retriever: Retriever) -> Iterator[Found]:
    numbered = ((position, question) for position, question in enumerate(questions) if question and not question.context)
    while batch := list(islice(numbered, BATCH)):
        failures = retriever.prepare([question.text for _, question in batch])
        found = retriever.find([question.text for _, question in batch if question.text not in failures])
        for position, question in batch:
            failure = failures.get(question.text, "")
            yield _describe(config, questions, position, question, hits=[] if failure else next(found), failure=failure)


def _describe(
    config: Config, questions: Questions, position: int, question: Question, *, hits: list[Hit], failure: str
) -> Found:
    fields, used = questions.metadata(position), fit_tokens(hits, config.rag.max_context_tokens)
    record = describe_hits(hits, used, fields, with_texts=config.rag.chunk_logging_enabled)
    rank = None if failure else rank_source(hits, fields)
    return Found(position + 1, question.text, hits, len(used), rank, failure, record)
