"""Reuse of the checkpoints and answer logs of earlier runs.

It is decided asking by asking (`roster`), by the ids from `identity`. Only the original script's checkpoints hold no ids
(`original_results`).
"""

from collections.abc import Callable
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.errors import DamagedFile, UserMistake
from tasks.evaluation.json_lines import JsonObject, to_line
from tasks.evaluation.resuming.differences import explain_misfit
from tasks.evaluation.resuming.original_results import OriginalResults
from tasks.evaluation.resuming.reuse_count import Reuse
from tasks.evaluation.scoring.clarification_records import clarification_of_result, parse_clarification
from tasks.evaluation.scoring.clarifications import clarification_messages
from tasks.evaluation.scoring.identity import name_clarification
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.scoring.records import (
    Grade,
    answer_of_result,
    build_refused,
    digest_answer,
    is_sound_result,
    parse_answer,
    parse_grade,
    parse_refusal,
)
from tasks.evaluation.scoring.repeats import split_repeats
from tasks.evaluation.storage.answer_log import list_segments, read_segment, sync_segment
from tasks.evaluation.storage.checkpoint import Checkpoint
from tasks.evaluation.storage.checkpoint_reader import read_result_lines
from tasks.evaluation.storage.id_index import IdIndex


class Reuser:
    """Matches earlier records with the questions of a ledger.

    Memory while it exists: 64 bytes per question, unless each record is found at its number.

    Args:
        ledger: receives what fits.
        settings: the run's, as `describe_settings` returns them.
    """

    def __init__(self, ledger: Ledger, settings: JsonObject) -> None:
        self._ledger = ledger
        self._settings = settings
        self._grades: dict[tuple[int, str], Grade] = {}
        self._other_answers: dict[tuple[int, str], Answer] = {}
        self._finished_before = len(ledger.results)

    def use_checkpoint(self, checkpoint: Checkpoint) -> Reuse:
        """Take everything that fits from the checkpoint, or nothing if it turns out to be damaged.

        Raises:
            DamagedFile: it ends early, does not parse, or contradicts its own count.
        """
        results, repeats, answers = map(len, (self._ledger.results, self._ledger.repeats, self._ledger.answers))
        reuse = Reuse()
        original = None if checkpoint.evaluation_id else OriginalResults(self._ledger, checkpoint, self._settings)
        use = original.use if original else self._use_result
        count = 0
        try:
            with self._ledger.results.gathering():
                for count, (result, line) in enumerate(read_result_lines(checkpoint.path), start=1):  # noqa: B007 - used below
                    use(result, line, reuse)
            if count != checkpoint.completed_count:
                raise DamagedFile(f"it holds {count} results, not {checkpoint.completed_count}")  # noqa: TRY301
        except DamagedFile:
            self._ledger.rollback(results_from=results, repeats_from=repeats, answers_from=answers)
            raise
        return reuse

    def use_log(self, folder: Path, notify: Callable[[str], None]) -> Reuse:
        """Take what fits from the segments in the folder, and let the ledger's log adopt those that hold nothing else.

        What cannot be read is reported to `notify`: the answers in it are paid for again.

        Raises:
            StorageFailure: the contents of a segment cannot be made durable.
        """
        reuse = Reuse()
        for path in list_segments(folder):
            try:
                sync_segment(path)
                matches = [self._use_record(record, reuse) if record else None for record in read_segment(path)]
            except FileNotFoundError:  # a run of another evaluation has just removed it
                continue
            except OSError as error:
                notify(f"⚠️ Passed over a part of the answer log that cannot be read: {path} ({error.strerror})")
                continue
            if None in matches:
                notify(f"⚠️ Passed over {matches.count(None):,} damaged lines of the answer log: {path}")
            if all(matches) and self._ledger.log:
                positions = {self._ledger.position_of(asking) for match in matches for asking in match or []}
                self._ledger.log.adopt(path, positions, len(matches))
        self._join_grades(reuse)
        return reuse

    @cached_property
    def _indexes(self) -> tuple[IdIndex, IdIndex]:
        """Return where the askings are that were unfinished in the beginning, by answer id and by score id."""
        ledger = self._ledger
        finished = set(ledger.results.positions(0, self._finished_before))
        positions = (position for position in range(len(ledger.roster)) if position not in finished)
        return ledger.roster.index(asking for position in positions for asking in ledger.roster.askings(position))

    @property
    def _by_answer(self) -> IdIndex:
        return self._indexes[0]

    @property
    def _by_score(self) -> IdIndex:
        return self._indexes[1]

    def _find_asking(self, record: JsonObject) -> int | None:
        """Return the asking that has the record's score id: first looked for where the record's number says."""
        number, score_id, roster = record.get("question_id"), str(record.get("score_id")), self._ledger.roster
        if roster.repeats == 1 and isinstance(number, int) and 0 < number <= len(roster):
            asking = number - 1
            if roster.has_score_id(asking, score_id):
                return asking
        return next(iter(self._by_score.find(score_id)), None)

    def _use_result(self, result: JsonObject, line: bytes | None, reuse: Reuse) -> None:
        """Use a result that has ids, or each of its repeats."""
        if is_sound_result(result):
            for record in split_repeats(result):
                self._use_repeat(record, line if record is result else None, reuse)

    def _use_repeat(self, record: JsonObject, line: bytes | None, reuse: Reuse) -> None:
        asking = self._find_asking(record)
        if asking is not None and self._ledger.reuse(asking, record, line):
            reuse.finished += 1
            return
        answer = answer_of_result(record) if asking is None or not self._ledger.is_finished(asking) else None
        if answer:
            for asking in self._by_answer.find(str(record.get("answer_id"))):
                self._keep_answer(asking, answer, reuse)
                self._keep_clarification(asking, answer, record)

    def _use_record(self, record: JsonObject, reuse: Reuse) -> list[int]:
        """Use a record of a log; return the askings that it belongs to, an empty list if it is damaged."""
        try:
            return self._use_sound_record(record, reuse)
        except DamagedFile:
            return []

    def _use_sound_record(self, record: JsonObject, reuse: Reuse) -> list[int]:
        kind = record.get("kind")
        if kind == "answer":
            return self._use_answer(record, reuse)
        if kind == "clarification":
            return self._use_clarification(record)
        asking = self._find_asking(record)
        if asking is None:
            return []
        if kind == "grade":
            digest, grade = parse_grade(record)
            self._grades[asking, digest] = grade
        elif kind == "refusal":
            self._use_refusal(asking, record, reuse)
        return [asking]

    def _use_answer(self, record: JsonObject, reuse: Reuse) -> list[int]:
        askings = self._by_answer.find(str(record.get("answer_id")))
        for asking in askings:
            if not self._ledger.is_finished(asking):
                self._keep_answer(asking, parse_answer(record), reuse)
        return askings

    def _keep_answer(self, asking: int, answer: Answer, reuse: Reuse) -> None:
        """Keep the answer for its grade; keep another evaluation's answer to the same request too: the grade may be for it."""
        if self._ledger.answers.put(asking, to_line(asdict(answer))):
            reuse.answers += 1
        elif answer != self._ledger.known_answer(asking):
            self._other_answers[asking, digest_answer(answer)] = answer

    def _use_clarification(self, record: JsonObject) -> list[int]:
        askings = self._by_answer.find(str(record.get("answer_id")))
        clarification_id, clarification = parse_clarification(record)
        for asking in askings:
            if not self._ledger.is_finished(asking):
                self._ledger.clarifications.add(asking, clarification_id, clarification)
        return askings

    def _keep_clarification(self, asking: int, answer: Answer, result: JsonObject) -> None:
        """Keep the clarification that the result holds beside the answer."""
        question, clarification = self._ledger.roster.question_of(asking), clarification_of_result(result)
        if question and clarification:
            messages = clarification_messages(question, answer.text)
            clarification_id = name_clarification(self._ledger.roster.ids(asking).answer, messages)
            self._ledger.clarifications.add(asking, clarification_id, clarification)

    def _use_refusal(self, asking: int, record: JsonObject, reuse: Reuse) -> None:
        question = self._ledger.roster.question_of(asking)
        assert question is not None
        kept = record.get("answer")
        answer = parse_answer(kept) if isinstance(kept, dict) else None
        result = build_refused(self._ledger.roster.ids(asking), question, parse_refusal(record), answer)
        reuse.finished += self._ledger.reuse(asking, result)

    def _join_grades(self, reuse: Reuse) -> None:
        """Finish the questions for which both an answer and the grade of that very answer are known."""
        roster = self._ledger.roster
        for (asking, digest), grade in self._grades.items():
            question, answer = roster.question_of(asking), self._find_answer(asking, digest)
            if question and answer and not self._ledger.is_finished(asking):
                result = self._ledger.build_result(asking, question, answer, grade)
                reuse.finished += self._ledger.reuse(asking, result)
                reuse.answers -= 1
        self._grades.clear()
        self._other_answers.clear()

    def _find_answer(self, asking: int, digest: str) -> Answer | None:
        """Return the answer with this digest, which is the one that was graded; None if it is not known."""
        first = self._ledger.known_answer(asking)
        return first if first and digest_answer(first) == digest else self._other_answers.get((asking, digest))


def require_fit(checkpoint: Checkpoint, reuse: Reuse, settings: JsonObject) -> None:
    """Check that something was reused from a checkpoint that the user named.

    Raises:
        UserMistake: nothing of it fits; the message lists each differing setting with both values.
    """
    if reuse.is_any:
        return
    reason = "; ".join(explain_misfit(checkpoint, settings))
    raise UserMistake(
        f"cannot resume from {checkpoint.path}: {reason}. Resume with the settings it was made with, or start over with "
        "--no-auto-resume and without --resume-from"
    )
