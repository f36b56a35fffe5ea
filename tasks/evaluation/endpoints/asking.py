"""One question on its way to an answer, from attempt to attempt."""

from dataclasses import dataclass, field, replace

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.member import Member
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.errors import Declined
from tasks.evaluation.spending.usage import Usage, add_usage


@dataclass(slots=True)
class Asking:
    """One question on its way to an answer."""

    messages: list[Message]
    """The question."""
    failures: int = 0
    """How often it has failed while others got through."""
    empty: list[Answer] = field(default_factory=list)
    """Its empty replies."""
    usage: Usage = field(default_factory=dict)
    """What its replies have cost."""
    tried: list[Member] = field(default_factory=list)
    """Of several addresses, those at which it has failed; empty again once it has failed at each."""
    declined: Declined | None = None
    """Why the last of the addresses that were asked has declined it, while another is to be asked."""
    declined_by: dict[Member, int] = field(default_factory=dict)
    """Those that have declined it, each with the number of replies that it had given until then."""

    def take(self, answer: Answer) -> Answer | None:
        """Return the reply with what all have cost; None if it is empty, though another may not be."""
        self.usage = add_usage(self.usage, answer.usage) if self.empty else answer.usage
        if answer.text or answer.is_truncated:
            return replace(answer, usage=self.usage) if self.empty else answer
        self.empty.append(answer)
        return None

    def forget_declined(self) -> None:
        """Forget who has declined it, so that it is asked there again."""
        self.declined = None
        self.declined_by.clear()
