"""The roster: the selected questions of a run, each with its ids, before anything is known of their answers.

A question is asked once, or several times; each time is an asking, with ids of its own. Askings are numbered through all
questions: those of the question at position p are p * repeats and the `repeats - 1` numbers after it.
"""

from array import array
from collections.abc import Iterable
from hashlib import blake2b

import numpy as np

from tasks.evaluation.questions.orders import choose_order, reorder
from tasks.evaluation.questions.questions import Question, Questions
from tasks.evaluation.scoring.graders import Grader
from tasks.evaluation.scoring.identity import ID_BYTES, Identity, name_batch, name_repeats
from tasks.evaluation.scoring.records import Ids
from tasks.evaluation.scoring.score_sheet import AnswerKey
from tasks.evaluation.storage.id_index import IdIndex

NO_ID = bytes(ID_BYTES)


class Roster:
    """The questions of an evaluation and their names; positions are 0-based places in the selection.

    `repeats` is the number of times that each is asked. `evaluation_id` names the evaluation of these questions under these
    settings, `history_id` names all that measure the same, and `questions_digest` tells these questions in this order from
    others. `formats` are m for multiple choice, q for short answers, - for an entry that cannot be asked. `errors` says why
    entries cannot be asked, by position. `key` holds the right choices.

    Args:
        questions: the selected questions.
        identity: gives them their ids.
        grader: grades the answers; some graders cannot grade every question.
        repeats: the number of times that each question is asked.
        reorders: whether each repeat shows the choices in another order.
    """

    def __init__(
        self, questions: Questions, identity: Identity, grader: Grader, *, repeats: int = 1, reorders: bool = False
    ) -> None:
        self.questions = questions
        self.repeats = repeats
        self._reorders = reorders
        self.formats = array("u", "-") * len(questions)
        self.errors: dict[int, str] = {}
        self.key = AnswerKey(len(questions))
        self._answer_ids = bytearray()
        self._score_ids = bytearray()
        digest = blake2b(digest_size=ID_BYTES)
        for position, question in enumerate(questions):
            self._identify(position, question, identity, grader)
            words = question and (question.text, question.context, question.reference, question.aliases)
            digest.update(repr(words).encode())
        self.questions_digest = digest.hexdigest()
        self.evaluation_id = identity.name_evaluation([bytes(self._score_ids)])
        self.history_id = identity.name_history(self.questions_digest, self.formats.tounicode(), repeats, reorders)

    def __len__(self) -> int:
        return len(self.questions)

    def askings(self, position: int) -> range:
        """Return the numbers of the question's askings."""
        return range(position * self.repeats, (position + 1) * self.repeats)

    def question_of(self, asking: int) -> Question | None:
        """Return the question as it is asked then; None for an entry that cannot be asked."""
        position, repeat = divmod(asking, self.repeats)
        question = self.questions[position]
        return reorder(question, repeat) if question and self._reorders else question

    def order_of(self, asking: int) -> tuple[str, ...] | None:
        """Return the choices' own labels in the order in which they are shown then; None if that is always the file's."""
        position, repeat = divmod(asking, self.repeats)
        question = self.questions[position] if self._reorders else None
        return choose_order(question, repeat) if question and question.choices else None

    def ids(self, asking: int) -> Ids:
        """Return the ids of an asking; where each question is asked once, it has the question's position as its number."""
        span = slice(asking * ID_BYTES, (asking + 1) * ID_BYTES)
        return Ids(self._answer_ids[span].hex(), self._score_ids[span].hex())

    def has_score_id(self, asking: int, hexadecimal: str) -> bool:
        """Return True if this is the asking's score id."""
        return self._score_ids[asking * ID_BYTES : (asking + 1) * ID_BYTES].hex() == hexadecimal

    def question_ids(self, position: int) -> Ids:
        """Return the question's ids: those of its first asking, with one score id for all of its askings."""
        askings = self.askings(position)
        first = self.ids(askings.start)
        return first if self.repeats == 1 else Ids(first.answer, name_repeats(self._score_bytes(askings)))

    def index(self, askings: Iterable[int]) -> tuple[IdIndex, IdIndex]:
        """Return where these askings are found, by answer id and by score id."""
        indexed = np.fromiter(askings, dtype=np.int64)
        return IdIndex(self._answer_ids, indexed, ID_BYTES), IdIndex(self._score_ids, indexed, ID_BYTES)

    def cache_key(self, positions: range) -> str:
        """Return the name of the batch of these questions."""
        return name_batch(self._score_bytes(range(positions.start * self.repeats, positions.stop * self.repeats)))

    def _score_bytes(self, askings: range) -> bytes:
        return bytes(self._score_ids[askings.start * ID_BYTES : askings.stop * ID_BYTES])

    def _identify(self, position: int, question: Question | None, identity: Identity, grader: Grader) -> None:
        obstacle = grader.find_obstacle(question) if question else self.questions.why_unusable(position)
        if obstacle:
            self.errors[position] = obstacle
        if question is None:
            self._answer_ids += NO_ID * self.repeats
            self._score_ids += NO_ID * self.repeats
            return
        self.formats[position] = question.format[0]
        self.key.add(position, question)
        occurrence = self.questions.occurrence(position)
        for repeat in range(self.repeats):
            shown = reorder(question, repeat) if self._reorders else question
            answer_id, score_id = identity.digest(shown, occurrence, repeat)
            self._answer_ids += answer_id
            self._score_ids += score_id
