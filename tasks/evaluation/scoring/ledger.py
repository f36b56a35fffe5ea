"""The ledger: what a run knows about each selected question.

A question goes from unknown to answered to finished. What arrives is written to the answer log first (`journal`). The
documented record of a finished question is in `results`; checkpoints, batch results and the report take it from there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.json_lines import JsonObject, JsonValue, from_line, to_line
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.retrieval.retrieved import read_retrieved
from tasks.evaluation.scoring.clarification_records import Clarifications
from tasks.evaluation.scoring.records import Grade, build_result, build_unusable, is_refused, parse_answer
from tasks.evaluation.scoring.repeats import merge_repeats, select_own
from tasks.evaluation.scoring.result_lines import place_result
from tasks.evaluation.scoring.roster import Roster
from tasks.evaluation.scoring.score_sheet import ScoreSheet
from tasks.evaluation.scoring.usage_table import UsageTable
from tasks.evaluation.spending.pricing import Pricing
from tasks.evaluation.spending.tokens import Role
from tasks.evaluation.storage.answer_log import AnswerLog
from tasks.evaluation.storage.placed_spool import PlacedSpool

if TYPE_CHECKING:
    from tasks.evaluation.retrieval.contexts import Contexts


class Ledger:
    """What is known about each question; positions are 0-based places in the selection, askings are as in the roster.

    `sheet` holds what the statistics need of the finished questions, and `usage` what they have cost. `clarifications` holds
    those that are known for unfinished askings.

    Args:
        roster: the questions with their ids.
        answers: receives the answers that are known and not yet graded, by asking.
        repeats: receives the finished repeats of questions that are asked several times, by asking; not used for others.
        results: receives the finished questions' records, by position.
        log: receives everything that arrives; None without checkpointing.
        contexts: what is put before the questions; None without retrieval.
        pricing: what the replies of each model cost that is asked.
        retry_refused: whether to ignore refusals that earlier runs have recorded.
    """

    def __init__(
        self,
        roster: Roster,
        *,
        answers: PlacedSpool,
        repeats: PlacedSpool,
        results: PlacedSpool,
        log: AnswerLog | None,
        contexts: "Contexts | None",
        pricing: Mapping[Role, Pricing],
        retry_refused: bool,
    ) -> None:
        self.roster = roster
        self.contexts = contexts
        self.questions = roster.questions
        self.answers = answers
        self.repeats = repeats
        self.results = results
        self.log = log
        self.sheet = ScoreSheet(roster.key, roster.repeats)
        self.clarifications = Clarifications()
        self.usage = UsageTable(results, len(roster), pricing)
        # What the refusals have cost that are ignored, by asking.
        self.ignored_usage: dict[int, JsonValue] = {}
        self._retry_refused = retry_refused
        self._with_refusal: set[int] = set()

    @property
    def open_count(self) -> int:
        """Return the number of unfinished questions."""
        return len(self.questions) - len(self.results)

    def open_positions(self, positions: Iterable[int]) -> Iterator[int]:
        """Return those of the positions whose question is unfinished."""
        return (position for position in positions if position not in self.results)

    @property
    def open_asking_count(self) -> int:
        """Return the number of times that unfinished questions are still to be asked or graded."""
        if self.roster.repeats == 1:
            return self.open_count
        return sum(1 for _ in self.open_askings(self.open_positions(range(len(self.questions)))))

    def open_askings(self, positions: Iterable[int]) -> Iterator[int]:
        """Return the unfinished askings of these unfinished questions."""
        askings = (asking for position in positions for asking in self.roster.askings(position))
        return askings if self.roster.repeats == 1 else (asking for asking in askings if asking not in self.repeats)

    def position_of(self, asking: int) -> int:
        """Return the position of the asking's question."""
        return asking // self.roster.repeats

    def is_finished(self, asking: int) -> bool:
        """Return True if the asking, or all of its question, has a record."""
        return self.position_of(asking) in self.results or (self.roster.repeats > 1 and asking in self.repeats)

    def has_refusal(self, position: int) -> bool:
        """Return True if the unfinished question was refused in one of its repeats, so that nobody need ask it again."""
        return position in self._with_refusal

    def count_partly_asked(self) -> int:
        """Return the number of unfinished questions of which some repeats are finished."""
        positions = {self.position_of(asking) for asking in self.repeats.positions(0, len(self.repeats))}
        return sum(1 for _ in self.open_positions(positions))

    def record_unusable(self) -> None:
        """Put the entries that cannot be asked into the results, each with its reason."""
        for position, error in self.roster.errors.items():
            self.finish_question(position, build_unusable(error))

    def finish(self, asking: int, record: JsonObject, line: bytes | None = None) -> bool:
        """Add the record of an asking; return False if it already has one.

        With repeats, the question is finished with its last one. After a refusal it waits for `conclude`.

        Args:
            asking: its number.
            record: the record.
            line: as for `finish_question`.
        """
        position = self.position_of(asking)
        self.clarifications.forget(asking)
        if self.roster.repeats == 1:
            return self.finish_question(position, record, line)
        if position in self.results or not self.repeats.put(asking, to_line(select_own(record))):
            return False
        if record.get("skipped"):
            self._with_refusal.add(position)
        elif position not in self._with_refusal and all(each in self.repeats for each in self.roster.askings(position)):
            self._merge(position)
        return True

    def conclude(self, position: int) -> None:
        """Finish the question if one of its repeats was refused: what is known of it is all that will be."""
        if position in self._with_refusal and position not in self.results:
            self._merge(position)

    def conclude_refused(self) -> None:
        """Finish all questions that were refused in one of their repeats."""
        for position in sorted(self._with_refusal):
            self.conclude(position)

    def finish_question(self, position: int, result: JsonObject, line: bytes | None = None) -> bool:
        """Add the question's record to the results, with its own number and fields; return False if it already has one.

        Args:
            position: the question's.
            result: the record.
            line: the line of a file that holds it; None if it comes from no file.
        """
        if position not in self.results:
            self.usage.note(position, result)
            if not result.get("skipped"):
                # Set before the record is added: a concurrent save counts the scores of the records that it finds.
                self.sheet.note(position, result)
        return self.results.put(position, place_result(result, line, position + 1, self.questions.metadata(position)))

    def rollback(self, *, results_from: int, repeats_from: int, answers_from: int) -> None:
        """Drop all results, repeats and answers except the first `results_from`, `repeats_from` and `answers_from`."""
        for position in self.results.positions(results_from, len(self.results)):
            self.sheet.forget(position)
        dropped = {self.position_of(asking) for asking in self.repeats.positions(repeats_from, len(self.repeats))}
        self.results.truncate(results_from)
        self.repeats.truncate(repeats_from)
        self.answers.truncate(answers_from)
        self._with_refusal -= dropped

    def reuse(self, asking: int, record: JsonObject, line: bytes | None = None) -> bool:
        """Use a record that an earlier checkpoint or log holds under the asking's score id; return True if it was used.

        Args:
            asking: its number.
            record: the record.
            line: as for `finish_question`.
        """
        if is_refused(record) and self._retry_refused:
            self.ignored_usage[asking] = record.get("usage")
            return False
        return self.finish(asking, record, line)

    def build_result(self, asking: int, question: Question, answer: Answer, grade: Grade) -> JsonObject:
        """Return the documented record of a scored asking.

        Raises:
            DamagedFile: the answer names chunks that the corpus has not.
        """
        order, retrieved = self.roster.order_of(asking), self._describe_retrieval(self.position_of(asking), answer.retrieval)
        return build_result(self.roster.ids(asking), question, answer, grade, order=order, retrieved=retrieved)

    def known_answer(self, asking: int) -> Answer | None:
        """Return the answer that awaits its grade; None if it is not known."""
        return parse_answer(from_line(self.answers.read(asking))) if asking in self.answers else None

    def await_grade(self, asking: int, answer: Answer) -> None:
        """Know the answer, which is in the log, from now on as one that awaits its grade."""
        self.answers.put(asking, to_line(asdict(answer)))

    def awaiting_grade(self) -> list[int]:
        """Return the unfinished askings whose answer is known."""
        askings = self.open_askings(self.open_positions(range(len(self.questions))))
        return [asking for asking in askings if asking in self.answers]

    def read_result(self, position: int) -> JsonObject:
        """Return the finished question's record.

        Raises:
            KeyError: the question is not finished.
        """
        return from_line(self.results.read(position))

    def close_log(self) -> None:
        """Close the log; what it holds of a complete evaluation is no longer needed."""
        if self.log:
            self.log.close(is_complete=not self.open_count)

    def _merge(self, position: int) -> None:
        """Finish the question with the record that its repeats make."""
        known = [asking for asking in self.roster.askings(position) if asking in self.repeats]
        repeats = [from_line(self.repeats.read(asking)) for asking in known]
        question = self.questions[position]
        assert question is not None
        retrieved = next((found for repeat in repeats if (found := read_retrieved(repeat))), None)
        described = self._describe_retrieval(position, retrieved)
        self.finish_question(position, merge_repeats(self.roster.question_ids(position), question, repeats, described))
        self._with_refusal.discard(position)

    def _describe_retrieval(self, position: int, retrieved: JsonObject | None) -> JsonObject | None:
        """Return what a result says about what was retrieved; None without retrieval."""
        return self.contexts.describe(position, retrieved) if self.contexts and retrieved else None
