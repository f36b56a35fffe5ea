"""Scoring: one question from the generator's answer to its score, and many questions at a time on one event loop."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from tasks.evaluation.config.prompt_settings import Prompt
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.endpoints.slots import Slots
from tasks.evaluation.errors import (
    BudgetReached,
    Declined,
    EndpointStop,
    EvaluationError,
    Refused,
    Stopped,
    StorageFailure,
    Unscored,
    UserMistake,
)
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.retrieval.retrieved import Retrieved
from tasks.evaluation.scoring.graders import Grader
from tasks.evaluation.scoring.identity import name_clarification
from tasks.evaluation.scoring.journal import Journal
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.scoring.prompts import generator_messages
from tasks.evaluation.scoring.records import Grade, Refusal
from tasks.evaluation.spending.budget import Budget
from tasks.evaluation.spending.usage import add_usage, read_usage

# The time in which answers in flight may still arrive after a run was stopped.
GRACE_SECONDS = 5.0
MOST_REFUSED_IN_A_ROW = 10
# What begins the reason of a question that was not asked any more.
STOPPED = "the run was stopped"


class Scorer:
    """Scores the questions of a ledger; all its coroutines run on one event loop.

    Args:
        ledger: gives the questions, with what is known of them.
        journal: keeps their answers, grades and refusals.
        grader: grades the answers.
        generator: answers the questions.
        judge: the model that the grader asks; None if it asks no model.
        slots: limits the questions in flight, over all batches.
        prompt: the words around the questions.
        budget: what may be spent; None: anything.
    """

    def __init__(
        self,
        ledger: Ledger,
        journal: Journal,
        grader: Grader,
        generator: Client,
        judge: Client | None,
        *,
        slots: Slots,
        prompt: Prompt,
        budget: Budget | None = None,
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._grader = grader
        self._generator = generator
        self._judge = judge
        self._slots = slots
        self._prompt = prompt
        self._budget = budget
        self._refused_in_a_row = 0
        self._asking: set[asyncio.Task[None]] = set()
        self.stop_cause: EvaluationError | None = None

    async def score_positions(self, positions: Iterable[int]) -> dict[int, Unscored]:
        """Score the unfinished questions at these positions; return those that are left unscored, each with the reason."""
        askings = self._ledger.open_askings(positions)
        tasks = {asking: asyncio.create_task(self._score_in_turn(asking)) for asking in askings}
        self._asking |= set(tasks.values())
        try:
            outcomes = await asyncio.gather(*tasks.values(), return_exceptions=True)
        finally:
            self._asking -= set(tasks.values())
        failures = dict(zip(tasks, outcomes, strict=True))
        for outcome in outcomes:
            if outcome is not None and not isinstance(outcome, Unscored):
                raise outcome
        for position in {self._ledger.position_of(asking) for asking in tasks}:
            self._ledger.conclude(position)
        unscored = {asking: failure for asking, failure in failures.items() if isinstance(failure, Unscored)}
        by_position = {self._ledger.position_of(asking): failure for asking, failure in reversed(unscored.items())}
        return {position: by_position[position] for position in self._ledger.open_positions(sorted(by_position))}

    def stop(self, cause: EvaluationError, grace_seconds: float = GRACE_SECONDS) -> None:
        """Ask nothing more; replies in flight may still arrive within the grace period. Call it on the event loop."""
        if self.stop_cause is not None:
            return
        self.stop_cause = cause
        for client in (self._generator, self._judge):
            if client:
                client.stop(cause)
        cancel_later = partial(asyncio.get_running_loop().call_later, grace_seconds, self._cancel_all)
        if isinstance(cause, BudgetReached) and self._budget:
            self._budget.call_when_idle(cancel_later)  # what is in flight is paid and allowed for
        else:
            cancel_later()

    def _cancel_all(self) -> None:
        for task in self._asking:
            task.cancel()

    async def _score_in_turn(self, asking: int) -> None:
        """Ask the question once a slot is free, and score it; ask nothing if it was refused in another repeat.

        Raises:
            Unscored: it has no score yet.
        """
        try:
            async with self._slots:
                self._check_going_on()
                if not self._ledger.has_refusal(self._ledger.position_of(asking)):
                    await self._score(asking)
        except asyncio.CancelledError:
            raise Stopped(f"{STOPPED} before the reply came") from None
        except (EndpointStop, StorageFailure, UserMistake) as error:
            # What arrives after a storage failure could not be kept.
            self.stop(error, grace_seconds=0.0 if isinstance(error, StorageFailure) else GRACE_SECONDS)
            raise Stopped(str(error)) from None

    def _check_going_on(self) -> None:
        if self.stop_cause is not None:
            raise Stopped(f"{STOPPED}: {self.stop_cause}")

    async def _score(self, asking: int) -> None:
        question = self._ledger.roster.question_of(asking)
        assert question is not None, "an entry that cannot be asked is finished from the start"
        answer = self._ledger.known_answer(asking)
        try:
            if answer is None:
                answer = await self._ask(asking, question)
                await self._journal.keep_answer(asking, answer)
            grade = await self._grade(asking, question, answer)
        except Refused as refused:
            usage = read_usage(refused.usage)
            if answer and not self._judge:  # the generator's refusal of the follow-up: what it has cost stands with the answer
                answer, usage = replace(answer, usage=add_usage(answer.usage, usage)), {}
            is_first = not self._ledger.has_refusal(self._ledger.position_of(asking))
            await self._journal.keep_refusal(asking, question, Refusal(str(refused), usage), answer)
            if is_first:
                self._count_refusal(refused)
        else:
            await self._journal.keep_grade(asking, question, answer, grade)
            self._refused_in_a_row = 0

    async def _grade(self, asking: int, question: Question, answer: Answer) -> Grade:
        """Grade the answer, which is kept.

        Raises:
            Refused: the endpoint refuses what is asked for that.
            Unscored: no usable reply came.
        """
        ask = self._judge.ask if self._judge else partial(self._ask_further, asking, question, answer.retrieval)
        try:
            return await self._grader.grade(question, answer, ask)
        except Refused:
            raise
        except BaseException:
            self._ledger.await_grade(asking, answer)
            raise

    async def _ask(self, asking: int, question: Question) -> Answer:
        """Ask the generator the question, with what was retrieved for it; what does not fit is left out, the last chunk first.

        Raises:
            Refused: the endpoint refuses it.
            Unscored: nothing could be retrieved for it, or no usable reply came.
        """
        contexts = self._ledger.contexts
        if contexts is None or question.context:
            return await self._generator.ask(generator_messages(question, self._prompt))
        retrieved = contexts.get(self._ledger.position_of(asking))
        while True:
            messages = generator_messages(contexts.put_before(question, retrieved), self._prompt)
            try:
                answer = await self._generator.ask(messages, can_shorten=retrieved.used > 0)
            except Declined as declined:
                if not declined.is_too_long or not retrieved.used:
                    raise
                retrieved = retrieved.drop_last()
            else:
                return replace(answer, retrieval=retrieved.to_json())

    def _put_before(self, question: Question, retrieved: JsonObject | None) -> Question:
        """Return the question as it was asked: with the chunks that its answer names."""
        if self._ledger.contexts is None or retrieved is None:
            return question
        return self._ledger.contexts.put_before(question, Retrieved.from_json(retrieved))

    async def _ask_further(
        self, asking: int, question: Question, retrieved: JsonObject | None, messages: list[Message]
    ) -> Answer:
        """Ask the generator a follow-up to the question, as it was asked, unless the reply or refusal is already known.

        Raises:
            Refused: the endpoint refuses it.
        """
        clarification_id = name_clarification(self._ledger.roster.ids(asking).answer, messages)
        known = self._ledger.clarifications.find(asking, clarification_id)
        if known is None:
            asked = self._put_before(question, retrieved)
            known = await self._generator.ask([*generator_messages(asked, self._prompt), *messages])
            await self._journal.keep_clarification(asking, clarification_id, known)
        return known

    def _count_refusal(self, refusal: Refused) -> None:
        """Stop the run after many refusals in a row: then the cause is not a single question.

        Raises:
            EndpointStop: `MOST_REFUSED_IN_A_ROW` questions were refused without a score between them.
        """
        self._refused_in_a_row += 1
        if self._refused_in_a_row == MOST_REFUSED_IN_A_ROW:
            raise EndpointStop(
                f"{MOST_REFUSED_IN_A_ROW} questions in a row were refused, the last because {refusal}; fix the settings and "
                "ask these again with --retry-refused, or go on without them with the same command"
            )
