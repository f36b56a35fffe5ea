"""Every error that an evaluation raises on purpose.

EvaluationError
├── UserMistake         something the user gave is wrong, found before anything was asked
│   └── HeldByOther         an earlier process of the same run goes on
├── Unscored            a question is left for the next run
│   ├── EndpointFailure     no usable reply came, even after repeated requests
│   │   ├── RateLimited         the endpoint gets too many requests: asked again when its turn comes
│   │   └── UnusableReply       a reply that is not an answer
│   │       └── NoCompletion        nor even a chat completion: other JSON, a web page, a redirect
│   ├── Blocked             the endpoint lets others through, and not this one
│   ├── Stopped             the run was stopped, and asks nothing more
│   └── UnfinishedBatch     some questions of a batch are unscored, each for its own reason
├── Refused             the endpoint says that it will not answer this request: final
│   └── Declined            refused by a status code, which can also mean that every request is wrong
├── EndpointStop        no question can be answered until somebody acts (key, quota, model name), or an outage ends
│   ├── KeyRefused          the endpoint does not accept the key
│   └── BudgetReached       what the user allows to be spent is spent
├── AddressLost         one of several addresses answers no more: the request is sent to another
├── KeyRenewed          the key was refused, and there is another one now: the request is sent again
├── GateFailed          all is scored, and the accuracy is below what the user demands
├── DamagedFile         a file is not what a finished write leaves
├── StorageFailure      paid answers can no longer be kept
└── ServerFailure       Prefect's server did not start, or has failed

The command shows each as one message without a traceback; any other error is a bug of ours.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

# How to fix a StorageFailure.
MAKE_ROOM = "make room or fix the folder, then run the same command again"


class EvaluationError(Exception):
    """The base class of all errors above. `usage` is what the reply that it stands for has cost, as far as that says."""

    usage: Mapping[str, object] = MappingProxyType({})


class UserMistake(EvaluationError):
    """A file, a setting or a flag is wrong; the message says which and how to fix it. Exit code 2."""


class HeldByOther(UserMistake):
    """Another process works on this run, and has not ended in time."""


class Unscored(EvaluationError):
    """A question has no score yet; nothing about it is recorded as a result, and the next run asks it again."""


class EndpointFailure(Unscored):
    """The endpoint gave no usable reply.

    Args:
        message: what it did.
        retry_after_seconds: how long it asks us to wait; 0 if it does not say.
    """

    def __init__(self, message: str, retry_after_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class RateLimited(EndpointFailure):
    """The endpoint answered that it gets too many requests."""


class UnusableReply(EndpointFailure):
    """The endpoint replied, but the reply is not an answer.

    Args:
        message: what it did.
        usage: what the reply has cost, as far as it says.
    """

    def __init__(self, message: str, usage: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.usage = usage or {}


class NoCompletion(UnusableReply):
    """The endpoint replied with something other than a chat completion.

    Args:
        message: what it did.
        usage: what the reply has cost, as far as it says.
        is_foreign: no API sends this; until the address is fixed, asking again would bring the same.
    """

    def __init__(self, message: str, usage: Mapping[str, object] | None = None, *, is_foreign: bool = False) -> None:
        super().__init__(message, usage)
        self.is_foreign = is_foreign


class Stopped(Unscored):
    """The run was stopped before this question's reply came."""


class UnfinishedBatch(Unscored):
    """Some questions of a batch are unscored.

    Args:
        failures: the reasons, by position.
    """

    def __init__(self, failures: Mapping[int, str]) -> None:
        super().__init__(f"{len(failures)} questions not scored: {next(iter(failures.values()))}")
        self.failures = failures


class Refused(EvaluationError):
    """The endpoint declined this very request; asking again would bring the same reply.

    Args:
        reason: the endpoint's words.
        usage: what its replies have cost, as far as they say.
    """

    def __init__(self, reason: str, usage: Mapping[str, object] | None = None) -> None:
        super().__init__(reason)
        self.usage = usage or {}


class Declined(Refused):
    """The endpoint declined the request by its status: something is wrong with this request, or with every one of them.

    Args:
        reason: the endpoint's words.
        advice: what to change if it is every request; empty if the endpoint's words suggest nothing.
        is_about_content: the reason is the content of this question, not how questions are asked.
        is_too_long: it does not fit into the model's context.
    """

    def __init__(self, reason: str, advice: str = "", *, is_about_content: bool = False, is_too_long: bool = False) -> None:
        super().__init__(reason)
        self.advice = advice
        self.is_about_content = is_about_content
        self.is_too_long = is_too_long


class EndpointStop(EvaluationError):
    """No further question can be asked until the user does what the message says, or the endpoint is back.

    Args:
        message: what the endpoint did, and what to do.
        may_be_one: it may concern a single question, which a firewall in front of the endpoint blocks.
    """

    def __init__(self, message: str, *, may_be_one: bool = False) -> None:
        super().__init__(message)
        self.may_be_one = may_be_one


class KeyRefused(EndpointStop):
    """The endpoint does not accept the key. If another key can be read where this one is kept, the run goes on with it."""


class BudgetReached(EndpointStop):
    """What the user allows to be spent is spent; what is in flight then is waited for, since it is paid."""


class KeyRenewed(EvaluationError):
    """The key of this request was refused, and was read again since: the request is to be sent again."""


class AddressLost(EvaluationError):
    """One of a model's addresses answers nothing until somebody acts there: the request is to be sent to another."""


class Blocked(Unscored):
    """The endpoint does not let this one request through, though it answers others; the next run asks it again."""


class GateFailed(EvaluationError):
    """The scores do not pass what the user demands of them; the message says why. Exit code 3."""


class DamagedFile(EvaluationError):
    """A file ends early, does not parse, or contradicts itself."""


class StorageFailure(EvaluationError):
    """A write, or its fsync, failed: an answer that arrives now would be lost, so nothing more is asked."""


class ServerFailure(EvaluationError):
    """Prefect's server did not start, or no longer answers; no answer depends on it."""


@contextmanager
def before_asking() -> Iterator[None]:
    """Report a StorageFailure as the user's mistake: nothing was asked yet, and the disk can be fixed first.

    Raises:
        UserMistake: in place of a StorageFailure.
    """
    try:
        yield
    except StorageFailure as failure:
        raise UserMistake(str(failure)) from failure
