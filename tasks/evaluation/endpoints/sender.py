"""Sends one request at a time, and notes what it has cost, and what it says about the address and the model."""

import time

from tasks.evaluation.endpoints.address import Address
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.asking import Asking
from tasks.evaluation.endpoints.bill import Bill
from tasks.evaluation.endpoints.first_answers import FirstAnswers
from tasks.evaluation.endpoints.fleet import Fleet
from tasks.evaluation.endpoints.member import Member
from tasks.evaluation.errors import Declined, EvaluationError
from tasks.evaluation.spending.budget import Receipt


class Sender:
    """Sends the requests of one client, until it is stopped.

    Args:
        bill: adds up what the replies have cost, and holds requests back that the budget has no room for.
        first_answers: knows whether the model has answered such requests before.
        fleet: the addresses; None where there is one.
    """

    def __init__(self, bill: Bill, first_answers: FirstAnswers, fleet: Fleet | None) -> None:
        self._bill, self._first_answers, self._fleet = bill, first_answers, fleet
        self._final: EvaluationError | None = None

    def stop(self, cause: EvaluationError) -> None:
        """Send nothing more; requests that wait to be sent end with the first cause."""
        self._final = self._final or cause
        if self._fleet:
            self._fleet.turns.end(self._final)

    async def send(self, address: Address, asking: Asking, member: Member | None = None) -> Answer:
        """Send one request, as soon as the budget has room for it; return the reply.

        Args:
            address: where it is sent to.
            asking: the question, and what is known of its requests so far.
            member: the address as one of several.

        Raises:
            EvaluationError: it failed, or nothing more is sent.
        """
        async with self._bill.hold(asking.messages) as receipt:
            return await self._send_held(address, asking, member, receipt)

    async def _send_held(self, address: Address, asking: Asking, member: Member | None, receipt: Receipt) -> Answer:
        """Send a request for which the budget has room, after a look at the address if it was left alone."""
        if self._final:
            raise self._final
        sent_at = time.monotonic()
        address.traffic.requests += 1
        try:
            if member and member.is_looked_at and self._fleet:
                await self._fleet.look(member)
            answer, headers = await address.transport.ask(asking.messages)
        except EvaluationError as error:
            if error.usage:
                self._bill.note(error.usage, receipt, asking.messages)
            self._note_error(address, error, sent_at, member)
            raise
        tokens = self._bill.note(answer.usage, receipt, asking.messages)
        address.note_answer(answer, headers, tokens.total)
        if mistake := self._first_answers.note_answer(answer):
            self.stop(mistake)
            raise self._final or mistake
        if member:
            member.is_proven |= self._first_answers.is_proven
        return answer

    def _note_error(self, address: Address, error: EvaluationError, sent_at: float, member: Member | None) -> None:
        """Note what the error says about the address, and of several about this one.

        Raises:
            EvaluationError: what ends the run, or this attempt, in place of the error.
        """
        if member and self._fleet:
            self._fleet.pass_over_removed(member, error)
        address.pass_over_blocked(error, goes_on=self._final is None)
        stop = address.note_error(error, sent_at, is_proven=self._first_answers.is_proven)
        if isinstance(error, Declined):
            stop = self._first_answers.note_declined(error, address.endpoint)
        if stop and member and self._fleet:
            stop = self._fleet.pass_over(member, stop, error)
        # Outcomes of other requests that were still in flight do not undo a stop.
        if stop:
            self.stop(stop)
            raise stop from None
