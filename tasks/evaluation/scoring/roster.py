"""The roster: the selected questions of a run, each with its ids, before anything is known of their answers."""

from array import array
from collections.abc import Iterable
from hashlib import blake2b

import numpy as np

from tasks.evaluation.questions.questions import Question, Questions
from tasks.evaluation.scoring.graders import Grader
from tasks.evaluation.scoring.identity import ID_BYTES, Identity, name_batch
from tasks.evaluation.scoring.records import Ids
from tasks.evaluation.storage.id_index import IdIndex

NO_ID = bytes(ID_BYTES)


class Roster:
    """The questions of an evaluation and their names; positions are 0-based places in the selection.

    `evaluation_id` names the evaluation of these questions under these settings, and `questions_digest` tells these questions
    in this order from others. `formats` are m for multiple choice, q for short answers, - for an entry that cannot be asked.
    `errors` says why entries cannot be asked, by position.

    Args:
        questions: the selected questions.
        identity: gives them their ids.
        grader: grades the answers; some graders cannot grade every question.
    """

    def __init__(self, questions: Questions, identity: Identity, grader: Grader) -> None:
        self.questions = questions
        self.formats = array("u", "-") * len(questions)
        self.errors: dict[int, str] = {}
        self._answer_ids = bytearray()
        self._score_ids = bytearray()
        digest = blake2b(digest_size=ID_BYTES)
        for position, question in enumerate(questions):
            self._identify(position, question, identity, grader)
            words = question and (question.text, question.context, question.reference, question.aliases)
            digest.update(repr(words).encode())
        self.questions_digest = digest.hexdigest()
        self.evaluation_id = identity.name_evaluation([bytes(self._score_ids)])

    def __len__(self) -> int:
        return len(self.questions)

    def ids(self, position: int) -> Ids:
        """Return the question's ids."""
        span = slice(position * ID_BYTES, (position + 1) * ID_BYTES)
        return Ids(self._answer_ids[span].hex(), self._score_ids[span].hex())

    def index(self, positions: Iterable[int]) -> tuple[IdIndex, IdIndex]:
        """Return where the questions at these positions are found, by answer id and by score id."""
        indexed = np.fromiter(positions, dtype=np.int64)
        return IdIndex(self._answer_ids, indexed, ID_BYTES), IdIndex(self._score_ids, indexed, ID_BYTES)

    def cache_key(self, positions: range) -> str:
        """Return the name of the batch of these questions."""
        return name_batch(bytes(self._score_ids[positions.start * ID_BYTES : positions.stop * ID_BYTES]))

    def _identify(self, position: int, question: Question | None, identity: Identity, grader: Grader) -> None:
        obstacle = grader.find_obstacle(question) if question else self.questions.why_unusable(position)
        if obstacle:
            self.errors[position] = obstacle
        if question is None:
            self._answer_ids += NO_ID
            self._score_ids += NO_ID
            return
        self.formats[position] = question.format[0]
        ids = identity.identify(question, self.questions.occurrence(position))
        self._answer_ids += bytes.fromhex(ids.answer)
        self._score_ids += bytes.fromhex(ids.score)
