"""The ledger: what a run knows of each selected question, and the one way to add to it.

A question goes from unknown to answered to finished. What arrives is in the answer log before anything else happens with it.
A finished question has its documented record in `results`, where checkpoints, batch results and the report take it from.
"""

import asyncio
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from hashlib import blake2b

import numpy as np

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.response_models import ModelTable
from tasks.evaluation.endpoints.tokens import Role, TokenSum, TokenTable
from tasks.evaluation.json_lines import JsonObject, JsonValue, from_line, to_line
from tasks.evaluation.questions.questions import Question, Questions
from tasks.evaluation.scoring.clarification_records import Clarification, Clarifications, clarification_record
from tasks.evaluation.scoring.graders import Grader
from tasks.evaluation.scoring.identity import ID_BYTES, Identity, name_batch
from tasks.evaluation.scoring.records import (
    Grade,
    Ids,
    Refusal,
    answer_record,
    build_refused,
    build_result,
    build_unusable,
    grade_record,
    is_refused,
    parse_answer,
    refusal_record,
)
from tasks.evaluation.storage.answer_log import AnswerLog
from tasks.evaluation.storage.id_index import IdIndex
from tasks.evaluation.storage.spool import PlacedSpool

NO_ID = bytes(ID_BYTES)


class Ledger:
    """What is known of each question; positions are 0-based places in the selection.

    `questions_digest` tells these questions in this order from others. `scores` holds a score a position, NaN where there is
    none, to be looked at where there is a result; `formats` m for multiple choice, q for short answers, - for an entry that
    cannot be asked. `no_choice`, `truncated` and `clarified` are the evaluations' marks, `f1` the token F1 of short answers,
    NaN where there is none. `clarifications` are known of unfinished questions.

    Args:
        questions: the selected questions.
        identity: gives them their ids.
        grader: grades the answers; not every question can be graded in every way.
        answers: takes the answers that are known and not yet graded.
        results: takes the finished questions' records.
        retry_refused: whether a refusal that an earlier run has recorded counts for nothing.
    """

    def __init__(
        self,
        questions: Questions,
        identity: Identity,
        *,
        grader: Grader,
        answers: PlacedSpool,
        results: PlacedSpool,
        retry_refused: bool,
    ) -> None:
        self.questions = questions
        self.answers = answers
        self.results = results
        self.log: AnswerLog | None = None
        self.waits_for_sync = False
        self.scores = np.full(len(questions), np.nan)
        self.formats = array("u", "-") * len(questions)
        self.no_choice, self.truncated = np.zeros((2, len(questions)), dtype=bool)
        self.f1 = np.full(len(questions), np.nan)
        self._models = ModelTable(len(questions))
        self.clarified = np.zeros(len(questions), dtype=bool)
        self.clarifications = Clarifications()
        self._tokens = TokenTable(len(questions))
        self._retry_refused = retry_refused
        self._answer_ids = bytearray()
        self._score_ids = bytearray()
        self._errors: dict[int, str] = {}
        digest = blake2b(digest_size=ID_BYTES)
        for position, question in enumerate(questions):
            self._identify(position, question, identity, grader)
            words = question and (question.text, question.context, question.reference, question.aliases)
            digest.update(repr(words).encode())
        self.questions_digest = digest.hexdigest()
        self.evaluation_id = identity.name_evaluation([bytes(self._score_ids)])

    def ids(self, position: int) -> Ids:
        """The ids of the question."""
        span = slice(position * ID_BYTES, (position + 1) * ID_BYTES)
        return Ids(self._answer_ids[span].hex(), self._score_ids[span].hex())

    def index_open(self) -> tuple[IdIndex, IdIndex]:
        """Where the unfinished questions are, by answer id and by score id."""
        positions = np.fromiter(self.open_positions(range(len(self.questions))), dtype=np.int64)
        return IdIndex(self._answer_ids, positions, ID_BYTES), IdIndex(self._score_ids, positions, ID_BYTES)

    def cache_key(self, positions: range) -> str:
        """The name of the batch of these questions."""
        return name_batch(bytes(self._score_ids[positions.start * ID_BYTES : positions.stop * ID_BYTES]))

    @property
    def open_count(self) -> int:
        """How many questions are not finished."""
        return len(self.questions) - len(self.results)

    def open_positions(self, positions: Iterable[int]) -> Iterator[int]:
        """Those of the positions whose question is not finished."""
        return (position for position in positions if position not in self.results)

    @property
    def unusable_count(self) -> int:
        """How many entries cannot be asked."""
        return len(self._errors)

    def record_unusable(self) -> None:
        """Put the entries that cannot be asked into the results, each with its reason."""
        for position, error in self._errors.items():
            self.finish(position, build_unusable(error))

    def finish(self, position: int, result: JsonObject) -> bool:
        """Put the question's record into the results, with its own number and fields; say whether it was not there yet."""
        if position not in self.results:
            self._tokens.note(position, result)
            self._models.note(position, result.get("response_model"))
            if not result.get("skipped"):
                # Before the record is there: a save beside this counts the scores of the records that it finds.
                self.scores[position] = result["score"]
                self._note_marks(position, result.get("evaluation"))
        self.clarifications.forget(position)
        record = {**result, "question_id": position + 1}
        record.pop("fields", None)  # a reused record's: those of the file as it was then
        metadata = self.questions.metadata(position)
        return self.results.put(position, to_line(record | {"fields": metadata} if metadata else record))

    def rollback(self, *, results_from: int, answers_from: int) -> None:
        """Take back all results and answers but the first so many."""
        for position in self.results.positions(results_from, len(self.results)):
            self.scores[position] = np.nan
        self.results.truncate(results_from)
        self.answers.truncate(answers_from)

    def reuse(self, position: int, result: JsonObject) -> bool:
        """Take a record that some earlier copy holds under the question's score id; say whether it was used."""
        return not (is_refused(result) and self._retry_refused) and self.finish(position, result)

    async def keep_answer(self, position: int, answer: Answer) -> None:
        """Make the answer durable, as far as the run demands.

        Raises:
            StorageFailure: it cannot be kept.
        """
        await self._log(position, answer_record(self.ids(position).answer, answer))

    async def keep_clarification(self, position: int, clarification_id: str, clarification: Clarification) -> None:
        """Log what came of asking which choice was meant; with `waits_for_sync`, wait for the fsync.

        Raises:
            StorageFailure: it cannot be kept.
        """
        await self._log(position, clarification_record(self.ids(position).answer, clarification_id, clarification))

    async def keep_grade(self, position: int, question: Question, answer: Answer, grade: Grade) -> None:
        """Make the grade durable and finish the question.

        Raises:
            StorageFailure: it cannot be kept.
        """
        ids = self.ids(position)
        await self._log(position, grade_record(ids.score, answer, grade))
        self.finish(position, build_result(ids, question, answer, grade))

    async def keep_refusal(self, position: int, question: Question, refusal: Refusal, answer: Answer | None) -> None:
        """Make the refusal durable and finish the question with it.

        Raises:
            StorageFailure: it cannot be kept.
        """
        ids = self.ids(position)
        await self._log(position, refusal_record(ids, refusal, answer))
        self.finish(position, build_refused(ids, question, refusal, answer))

    def known_answer(self, position: int) -> Answer | None:
        """The answer of an earlier run that awaits its grade."""
        return parse_answer(from_line(self.answers.read(position))) if position in self.answers else None

    def awaiting_grade(self) -> list[int]:
        """The positions whose answer is known and whose question is not finished."""
        return list(self.open_positions(position for position in range(len(self.questions)) if position in self.answers))

    def read_result(self, position: int) -> JsonObject:
        """The finished question's record.

        Raises:
            KeyError: it is not finished.
        """
        return from_line(self.results.read(position))

    def add_up_tokens(self, first: int | None = None) -> dict[Role, TokenSum]:
        """What the first so many results have cost, None: all that there are; in whichever run it was paid."""
        return self._tokens.add_up(self.results.positions(0, len(self.results) if first is None else first))

    def count_models(self) -> Counter[str]:
        """Return how many results each model has answered, by the name that the endpoint gave it."""
        return self._models.count(list(self.results.positions(0, len(self.results))))

    def close(self) -> None:
        """Close the log and free the temporary files."""
        if self.log:
            self.log.close(is_complete=len(self.results) == len(self.questions))
        for part in (self.questions, self.answers, self.results):
            part.close()

    def _note_marks(self, position: int, evaluation: JsonValue) -> None:
        marks = evaluation if isinstance(evaluation, dict) else {}
        f1 = marks.get("f1")
        self.no_choice[position] = marks.get("no_choice") is True
        self.truncated[position] = marks.get("truncated") is True
        self.clarified[position] = marks.get("clarified") is True
        self.f1[position] = f1 if isinstance(f1, int | float) else np.nan

    def _identify(self, position: int, question: Question | None, identity: Identity, grader: Grader) -> None:
        obstacle = grader.find_obstacle(question) if question else self.questions.why_unusable(position)
        if obstacle:
            self._errors[position] = obstacle
        if question is None:
            self._answer_ids += NO_ID
            self._score_ids += NO_ID
            return
        self.formats[position] = question.format[0]
        ids = identity.identify(question, self.questions.occurrence(position))
        self._answer_ids += bytes.fromhex(ids.answer)
        self._score_ids += bytes.fromhex(ids.score)

    async def _log(self, position: int, record: JsonObject) -> None:
        if self.log is None:
            return
        synced: Future[None] = self.log.append(to_line(record), position)
        if self.waits_for_sync:
            await asyncio.wrap_future(synced)
