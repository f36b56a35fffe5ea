"""Identity: what must be equal for an earlier run's answer or score to be reused.

    answer id = hash(request settings, weights, revision, messages, number of identical questions before it,
                     number of the repeat if it is not the first, the private run id,
                     what decides which chunks are retrieved for it, if any are)
    score id  = hash(answer id, reference answer, format, further accepted answers if any,
                     the grader's identity: the judge's request settings and prompts, version of the reading or of the verdicts)

    history id = hash(request settings, weights, revision, the prompt's texts, the grader's identity, number of repeats,
                      what decides which chunks are retrieved, the questions with their formats): the same for every run that
                      measures the same, private or not

Nothing else counts: not a question's place, the file's name, the seed, the endpoint's host, port or key, or the number of
questions in flight. Files hold these ids, so a change to this module makes every earlier answer unknown. An id is 16 bytes of
BLAKE2b (RFC 7693), written as 32 hexadecimal digits.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from json.encoder import encode_basestring_ascii

from tasks.evaluation.config.prompt_settings import Prompt
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.scoring.prompts import ORIGINAL, describe_prompt, generator_messages

ID_BYTES = 16
# Tells what is retrieved from a repeat's number.
RETRIEVED = b"retrieved"
# Made once: `json.dumps` would make one for each question.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=dict)


@dataclass(frozen=True)
class IdentitySettings:
    """The settings that decide what is reused.

    Attributes:
        request: everything that is sent to the generator besides the messages.
        weights: identifies the weights of a server that we start ourselves.
        revision: the user's own name for the weights.
        grader: the grader's `identity`, which is everything about it that affects a score.
        private_run_id: the run whose answers no other run may use; empty for an ordinary run.
        prompt: the words around the question.
        retrieval: what decides which chunks are put before a question that has no context; None without retrieval.
    """

    request: Mapping[str, object]
    weights: Mapping[str, object] | None
    revision: str | None
    grader: tuple[object, ...]
    private_run_id: str
    prompt: Prompt = ORIGINAL
    retrieval: Mapping[str, object] | None = None


class Identity:
    """Gives each question its ids under the settings."""

    def __init__(self, settings: IdentitySettings) -> None:
        self._answer_part = _digest(settings.request, settings.weights, settings.revision, settings.private_run_id)
        self._answer_begin = _frame(self._answer_part)
        self._prompt = settings.prompt
        texts = [describe_prompt(settings.prompt, has_context=has_context) for has_context in (False, True)]
        retrieval = () if settings.retrieval is None else (settings.retrieval,)
        self._shared_parts = (settings.request, settings.weights, settings.revision, texts, *settings.grader, *retrieval)
        self._retrieval_end = _frame(RETRIEVED + _digest(*retrieval)) if retrieval else b""
        self._grader_part = _digest(*settings.grader)
        self._grader_begin = _frame(self._grader_part)

    def digest(self, question: Question, occurrence: int, repeat: int = 0) -> tuple[bytes, bytes]:
        """Return the answer id and the score id of one repeat of the question.

        Args:
            question: as that repeat shows it.
            occurrence: the number of identical questions before it.
            repeat: the number of times that it was asked before.
        """
        messages = _canonical_messages(generator_messages(question, self._prompt))
        asked = self._answer_begin + _frame(messages) + _frame(b"%d" % occurrence)
        if repeat:
            asked += _frame(b"%d" % repeat)
        if not question.context:
            asked += self._retrieval_end
        answer = blake2b(asked, digest_size=ID_BYTES).digest()
        graded = _frame(answer) + self._grader_begin + _frame(_canonical_reference(question))
        return answer, blake2b(graded, digest_size=ID_BYTES).digest()

    def name_history(self, *measured: object) -> str:
        """Return the id that all runs share whose accuracies measure the same.

        Args:
            measured: the questions, and how they are asked beyond what the settings hold.
        """
        return _digest(*self._shared_parts, *measured).hex()

    def name_evaluation(self, score_ids: Iterable[bytes]) -> str:
        """Return the id of the evaluation of these questions, in this order, under these settings."""
        return _digest_bytes(self._answer_part, self._grader_part, b"".join(score_ids)).hex()


def name_clarification(answer_id: str, messages: Sequence[Message]) -> str:
    """Return the id of a follow-up: a hash of its messages and of the answer's id, which stands for the request before them."""
    return _digest(answer_id, messages).hex()


def name_repeats(score_ids: bytes) -> str:
    """Return the score id of a question that is asked several times, made of its repeats' score ids."""
    return _digest_bytes(score_ids).hex()


def name_batch(score_ids: bytes) -> str:
    """Return the key under which the result of a batch with these score ids is cached."""
    return "batch-" + _digest_bytes(score_ids).hex()


def _digest(*parts: object) -> bytes:
    return _digest_bytes(*(_canonical(part) for part in parts))


def _digest_bytes(*parts: bytes) -> bytes:
    """Return a digest of the parts that also depends on where each begins."""
    return blake2b(b"".join(map(_frame, parts)), digest_size=ID_BYTES).digest()


def _frame(part: bytes) -> bytes:
    """Return the part behind its own size, so that a digest also depends on where each part begins."""
    return len(part).to_bytes(8, "big") + part


def _canonical(value: object) -> bytes:
    return _ENCODER.encode(value).encode()


def _canonical_reference(question: Question) -> bytes:
    """Return what `_canonical` does of the right answers; by hand where there is only one, as nearly always."""
    if question.aliases:
        return _canonical([question.reference, question.format, question.aliases])
    return f'[{encode_basestring_ascii(question.reference)},"{question.format}"]'.encode()


def _canonical_messages(messages: Sequence[Message]) -> bytes:
    """Return what `_canonical` does, put together by hand, since there is a list of messages for each question."""
    texts = [f'{{"content":{encode_basestring_ascii(each["content"])},"role":"{each["role"]}"}}' for each in messages]
    return f"[{','.join(texts)}]".encode()
