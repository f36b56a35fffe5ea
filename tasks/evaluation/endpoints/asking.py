"""One question on its way to an answer, from attempt to attempt."""

from dataclasses import dataclass, field

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.member import Member
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.endpoints.usage import Usage
from tasks.evaluation.errors import Declined


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
    """Why one of these has declined it, while another is to be asked."""
    declined_by: Member | None = None
    """Which of them that was."""
