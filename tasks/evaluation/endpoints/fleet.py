"""Several addresses of one model: they share the requests, and one that fails is left alone for a while.

| an address | gets |
|---|---|
| that answers | requests, as long as it has the fewest in flight for its weight |
| that has as many requests as it may have, or must not be asked yet (see `turns`) | nothing at this moment |
| that is out, or has not been looked at yet | a look: the list of its models, then one question; again after `probe_seconds` |
| that was lost: it does not accept the key, does not know the model, declines what others answer | a look after 30 seconds |

While none answers, all of them are looked at in turn. An address is given up once it is lost, or out for longer than
`max_outage_seconds`; it is still looked at. The run stops when all are given up.

A question is refused when every address that is not given up has declined it; those that are out are waited for.
"""

import time
from collections.abc import Awaitable, Callable, Collection

from tasks.evaluation.config.addresses import name_place
from tasks.evaluation.endpoints.address import Address
from tasks.evaluation.endpoints.address_file import AddressFile
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.asking import Asking
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.listed_models import ListedModel, find_other_model
from tasks.evaluation.endpoints.member import Member
from tasks.evaluation.endpoints.outage import OTHERS_GO_ON, Waiting
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.endpoints.traffic import Traffic
from tasks.evaluation.endpoints.turns import Turns
from tasks.evaluation.errors import AddressLost, Declined, EndpointFailure, EndpointStop, EvaluationError, Refused, UserMistake

# Sends a question to an address.
Send = Callable[[Address, Asking, Member], Awaitable[Answer]]
# One question may be declined at one address for a reason of its own; this many in a row that others answer are not.
CONTRADICTIONS = 3


class Fleet:
    """The addresses of one model. To be used on one event loop only.

    `members` are its addresses, and `turns` says which of them is asked next. `file` lists them, if a file does. `listed` are
    the models that the first address lists, as far as that is known: the others must serve the same. `traffic` counts what was
    sent to each address, also to those that were removed.

    Args:
        endpoint: the model.
        patience: how long to wait before a look.
        is_proven: whether the model has answered such requests before.
        notify: takes what the user should know.
        most_each: the most requests in flight at each address; None: as many as there are.

    Raises:
        UserMistake: the file that lists the addresses cannot be read.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        patience: Patience,
        *,
        is_proven: bool,
        notify: Callable[[str], None],
        most_each: int | None,
    ) -> None:
        self.endpoint = endpoint
        self.members: list[Member] = []
        self.turns = Turns(self.members, patience, most_each)
        self.listed: list[ListedModel] = []
        self.traffic: dict[str, Traffic] = {}
        self._patience = patience
        self._is_proven = is_proven
        self._notify = notify
        self._addresses: list[Address] = []
        self._empty_since: float | None = time.monotonic()
        self.file = AddressFile(endpoint.address_file, notify) if endpoint.address_file else None
        for each in self.file.read_first() if self.file else ():
            self.add(endpoint.at(*each))
        for address in endpoint.addresses:
            self.add(address)

    @property
    def waiting(self) -> Waiting | None:
        """Return the shortest wait for an address if all that are left are waited for; may be read in any thread."""
        if self.file and self.empty_seconds:
            return Waiting(self.endpoint.role, self.empty_seconds, f"{self.file.path} lists no address")
        waits = [each.address.outage.waiting for each in tuple(self.members) if each.lost is None]
        waited_for = [each for each in waits if each]
        return min(waited_for, key=lambda each: each.seconds) if waits and len(waited_for) == len(waits) else None

    @property
    def empty_seconds(self) -> float:
        """Return how long there has been no address; 0 if there is one."""
        since = self._empty_since
        return 0.0 if since is None else time.monotonic() - since

    def add(self, endpoint: Endpoint, *, is_new: bool = False) -> None:
        """Add the model's address; one that `is_new` is looked at before it gets more than one question."""
        address = Address(endpoint, self._patience, self._notify, lambda: self._has_others(address))
        place = name_place(endpoint.written_url)
        address.traffic = self.traffic.setdefault(place, address.traffic)
        self._addresses.append(address)
        self.members.append(Member(address, place, is_proven=self._is_proven, is_new=is_new))
        self._empty_since = None
        self.turns.note_change()

    def remove(self, member: Member) -> None:
        """Send nothing more to an address; what is in flight there may end."""
        member.is_removed = True
        self.members.remove(member)
        if not self.members:
            self._empty_since = time.monotonic()
        self.turns.note_change()

    async def close(self) -> None:
        """Close the connections."""
        for address in self._addresses:
            await address.close()

    def has_untried(self, tried: Collection[Member]) -> bool:
        """Return True if there is an address that answers and is not among these."""
        return any(not each.is_out and each not in tried for each in self.members)

    async def attempt(self, asking: Asking, send: Send) -> Answer:
        """Return what the address answers whose turn it is; one that has declined the question is passed over.

        Raises:
            EvaluationError: as `send` does; the cause for which the asking was ended.
        """
        member = self.turns.take_other(asking) if asking.declined else await self.turns.take(asking.tried)
        is_look = member.is_out
        try:
            answer = await send(member.address, asking, member)
        except EvaluationError as error:
            asking.tried.append(member)
            if isinstance(error, Declined):
                asking.declined, asking.declined_by[member] = error, member.address.traffic.replies
            raise
        finally:
            self.turns.give_back(member, is_look=is_look)
        self._note_answer(member)
        if answer.text:
            self._note_contradiction(asking)
        else:
            asking.tried.append(member)
        return answer

    def pass_over(self, member: Member, stop: EndpointStop | UserMistake, error: EvaluationError) -> EndpointStop | UserMistake:
        """Go on without an address at which nothing more can be asked for now, or return what ends the run if no other is left.

        Args:
            member: the address.
            stop: what would end the run if it had this address alone.
            error: what came of the request.

        Raises:
            AddressLost: the request is to be sent to another.
            EndpointFailure: the same, of a request that counts as failed.
        """
        if stop is error or isinstance(stop, UserMistake):
            self._lose(member, stop)
        # What one address declines before any has answered is hardly answered by one that is out: nobody waits for that.
        if not all(each.is_given_up or (each.is_out and isinstance(error, Declined)) for each in self.members):
            raise (error if isinstance(error, EndpointFailure) and not member.lost else AddressLost(str(stop))) from None
        words = str(stop) if len(self.members) == 1 else f"{stop} (and none of the {len(self.members)} addresses is left)"
        return UserMistake(words) if isinstance(stop, UserMistake) else EndpointStop(words)

    def pass_over_removed(self, member: Member, error: EvaluationError) -> None:
        """Go on elsewhere after an error at an address that was removed: it says nothing about the question or the model.

        Raises:
            AddressLost: the request is to be sent to another.
        """
        if member.is_removed and (isinstance(error, Declined) or not isinstance(error, Refused)):
            raise AddressLost(f"{member.shown_url} was removed: {error}") from None

    def leave_alone(self, failed: Collection[tuple[Member, EvaluationError]]) -> None:
        """Leave the addresses alone that could not be asked before the first question, each for its cause."""
        for member, cause in failed:
            if isinstance(cause, EndpointFailure):
                member.address.outage.begin(cause)
            else:
                member.lost = cause
            member.look_at = time.monotonic() + self._patience.probe_seconds
        for member, cause in failed:
            self._tell_left_alone(member, cause)

    async def look(self, member: Member) -> None:
        """Find out at little cost whether an address that was out may be asked a question.

        Raises:
            EndpointFailure: it cannot be reached.
            EndpointStop: it does not accept the key, or serves another model.
        """
        endpoint = member.address.endpoint
        try:
            models = await member.address.transport.list_models(self._patience.list_seconds)
        except TimeoutError:
            if self.has_untried([member]):
                raise EndpointFailure(f"the {endpoint.role} did not list its models in time") from None
            return
        if other := find_other_model(endpoint.model, models, self.listed):
            raise EndpointStop(f"the {endpoint.role} serves {other}, not {endpoint.model!r}")
        self.listed = self.listed or models

    def _has_others(self, address: Address) -> bool:
        """Return True if another address may be asked; one that was not looked at yet may be."""
        return any(each.address is not address and not (each.lost or each.address.outage.goes_on) for each in self.members)

    def _tell_left_alone(self, member: Member, cause: EvaluationError) -> None:
        words = "is left alone"
        if self._has_others(member.address):
            words += f", {OTHERS_GO_ON}"
        elif isinstance(cause, EndpointFailure):
            words = f"is waited for, {self._patience.max_outage_seconds:,.0f} s at most"
        self._notify(f"⚠️ {member.shown_url} {words}: {cause}")

    def _lose(self, member: Member, cause: EvaluationError) -> None:
        if member.lost is None:
            self._tell_left_alone(member, cause)
        member.lost = cause
        member.look_at = time.monotonic() + self._patience.look_again_seconds

    def _note_answer(self, member: Member) -> None:
        member.contradictions = 0
        member.is_new = False
        if member.lost:
            member.lost = None
            self._notify(f"The {member.address.endpoint.role} at {member.shown_url} answers again")

    def _note_contradiction(self, asking: Asking) -> None:
        """Note that a question was answered which other addresses have declined, unless they have answered one since."""
        for member, replies in asking.declined_by.items():
            member.contradictions += replies == member.address.traffic.replies
            if member.contradictions == CONTRADICTIONS:
                self._lose(member, EndpointStop("it declines what the other addresses answer"))
