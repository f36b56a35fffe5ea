"""Tokens added up: those that a run has paid, those behind its results, and an estimate of those still to come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.spending.usage import is_count

Role = Literal["generator", "grader", "encoder"]
# Those whose tokens are counted with each result.
ROLES: tuple[Role, ...] = ("generator", "grader")
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
# A question's count is kept in four bytes; no context window comes near this.
MOST_TOKENS = 2**32 - 1
NONE_REPORTED = "none reported"


@dataclass(frozen=True)
class TokenSum:
    """Tokens added up."""

    prompt: int = 0
    """Tokens of the prompts."""

    completion: int = 0
    """Tokens of the replies."""

    total: int = 0
    """Both, or what the endpoint names as the total."""

    counted: int = 0
    """How many replies, or questions, have a count; the others are not in the sums."""

    @classmethod
    def read(cls, usage: object) -> Self:
        """Return the counts of one `usage`; a missing total is the sum of the two others."""
        prompt, completion, total = read_counts(usage)
        return cls(prompt, completion, total, counted=int(total > 0))

    def __add__(self, other: "TokenSum") -> "TokenSum":
        return TokenSum(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.total + other.total,
            self.counted + other.counted,
        )

    def __str__(self) -> str:
        if not self.counted:
            return NONE_REPORTED
        return f"{self.total:,} ({self.prompt:,} prompt + {self.completion:,} completion)"

    def scale_to(self, count: int) -> "TokenSum | None":
        """Return what `count` more would cost at the mean of those that were counted; None without any."""
        if not self.counted:
            return None
        prompt, completion, total = (
            round(tokens * count / self.counted) for tokens in (self.prompt, self.completion, self.total)
        )
        return TokenSum(prompt, completion, total, counted=count)

    def to_json(self) -> JsonObject:
        """Return the sums under the names of an endpoint's `usage`."""
        return dict(zip(COUNTS, (self.prompt, self.completion, self.total), strict=True))


TokenSums = Mapping[Role, TokenSum]


def read_counts(usage: object) -> tuple[int, int, int]:
    """Return the tokens of the prompt, of the reply, and of both, in one `usage`; 0 where it does not say."""
    if not usage or not isinstance(usage, dict):
        return 0, 0, 0
    prompt, completion, total = [count if is_count(count := usage.get(name)) else 0 for name in COUNTS]
    return prompt, completion, total or prompt + completion


class TokenTable:
    """Keeps what each question has cost according to its result, by position. Memory: 24 bytes a question."""

    def __init__(self, positions: int) -> None:
        self._counts = np.zeros((positions, len(ROLES), len(COUNTS)), dtype=np.uint32)
        # The same numbers in a row: one is set there in a fifth of the time that numpy takes.
        self._numbers = self._counts.reshape(-1).data

    def note(self, position: int, result: Mapping[str, object]) -> None:
        """Take the `usage` of the question's result in place of an earlier one."""
        usage = result.get("usage")
        by_role = usage if isinstance(usage, dict) else {}
        numbers, at = self._numbers, position * len(ROLES) * len(COUNTS)
        for role in ROLES:
            counts = read_counts(by_role.get(role))
            for count in counts:
                numbers[at] = min(count, MOST_TOKENS)
                at += 1

    def add_up(self, positions: Sequence[int]) -> dict[Role, TokenSum]:
        """Return the sums over the questions at these positions."""
        chosen = self._counts[np.asarray(positions, dtype=np.int64)]
        return {role: self._add_up_role(chosen[:, row]) for row, role in enumerate(ROLES)}

    def find_most(self, role: Role, positions: Sequence[int]) -> int:
        """Return the most tokens that one model has taken for a question at these positions; 0 without any."""
        totals = self._counts[np.asarray(positions, dtype=np.int64), ROLES.index(role), -1]
        return int(totals.max(initial=0))

    @staticmethod
    def _add_up_role(counts: np.ndarray[tuple[int, ...], np.dtype[np.uint32]]) -> TokenSum:
        prompt, completion, total = map(int, counts.sum(axis=0, dtype=np.int64))
        return TokenSum(prompt, completion, total, counted=int(np.count_nonzero(counts[:, -1])))


def sums_to_json(sums: TokenSums) -> JsonObject:
    """Return the sums as files hold them."""
    return {role: each.to_json() for role, each in sums.items()}


def describe_sums(sums: TokenSums) -> str:
    """Return the sums as the terminal shows them; a grader that has cost nothing is left out."""
    if not any(each.counted for each in sums.values()):
        return NONE_REPORTED
    return ", ".join(f"{role} {each}" for role, each in sums.items() if role == "generator" or each.counted)
