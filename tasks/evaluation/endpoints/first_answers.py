"""What shows whether a model answers such requests at all: until it has, what it declines is the user's mistake."""

from collections import Counter
from collections.abc import Callable

from tasks.evaluation.endpoints.advice import describe_reasoning
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.errors import Declined, EndpointStop, EvaluationError, Refused, UserMistake
from tasks.evaluation.spending.usage import Usage

# One question may be declined for what it says; if an address declines this many, before any is answered, the way of asking is
# wrong.
FIRST_QUESTIONS = 3


class FirstAnswers:
    """Judges a model's first replies, at all its addresses together.

    `is_proven` says whether it has answered such requests, in this run or before.

    Args:
        endpoint: what is asked.
        is_proven: whether it has answered such requests before.
        notify: takes what the user should know.
    """

    def __init__(self, endpoint: Endpoint, *, is_proven: bool, notify: Callable[[str], None]) -> None:
        self.is_proven = is_proven
        self._endpoint = endpoint
        self._notify = notify
        self._has_answered = self._has_hinted = False
        self._declined: Counter[str | None] = Counter()
        self._only_reasoned = 0

    def note_answer(self, answer: Answer) -> UserMistake | EndpointStop | None:
        """Note a reply; return the error that ends the run if this and those before leave the model no room for words."""
        self._has_answered |= bool(answer.text)
        # A reply without words shows that the request is accepted, but not that the settings let the model answer.
        has_said = bool(answer.text) or answer.token_logprobs is not None
        self.is_proven |= has_said
        if answer.only_reasons and not self._has_hinted:
            self._has_hinted = True
            self._notify(f"⚠️ {describe_reasoning(self._endpoint, answer)}")
        if not answer.is_truncated or has_said:
            return None
        self._only_reasoned += 1
        is_last = not self.is_proven and self._only_reasoned == FIRST_QUESTIONS
        return self._describe_wordless(answer) if is_last else None

    def note_declined(self, declined: Declined, place: Endpoint) -> UserMistake | None:
        """Note a request that was declined at this address; return what ends the asking there if every one would be."""
        self._declined[place.base_url] += not declined.is_about_content
        if self.is_proven or self._declined[place.base_url] < FIRST_QUESTIONS:
            return None
        advice = f"\n{declined.advice}" if declined.advice else ""
        return UserMistake(f"{declined} (nothing was answered before at {place.shown_url}){advice}")

    def refuse_empty(self, replies: list[Answer], usage: Usage) -> EvaluationError:
        """Return what ends a question whose replies were all empty: a refusal, or the cause that ends the run."""
        reasoned = next((reply for reply in replies if reply.only_reasons), None)
        if reasoned is None:
            return Refused(f"the {self._endpoint.role} answered with an empty message {len(replies)} times", usage)
        self._only_reasoned += 1
        if self._has_answered or self._only_reasoned < FIRST_QUESTIONS:
            return Refused(f"the {self._endpoint.role} wrote reasoning and no answer, {len(replies)} times", usage)
        return self._describe_wordless(reasoned)

    def _describe_wordless(self, answer: Answer) -> EndpointStop | UserMistake:
        words = f"{describe_reasoning(self._endpoint, answer)} Nothing was answered before."
        return EndpointStop(words) if self.is_proven else UserMistake(words)
