"""A shard, `3/64`: the part of a selection that one of several runs asks, on machines of their own.

A selection is cut into batches, and shard 3/64 consists of those with a number, from 0, that leaves 3 when it is divided by 64.
The cut depends neither on the number of shards nor on which one it is: each batch of a shard is one of the whole, with its key.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import AfterValidator

FORM = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")


@dataclass(frozen=True)
class Shard:
    """One of several parts of a selection."""

    number: int
    """Which, from 0."""
    count: int
    """The number of parts."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the shard that a text like `3/64` names.

        Raises:
            ValueError: it names none.
        """
        found = FORM.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no shard: write which of how many, counted from 0, such as 0/4, 1/4, 2/4 and 3/4")
        shard = cls(int(found[1]), int(found[2]))
        if shard.count == 0:
            raise ValueError(f"{text!r} is no shard: there must be one part at least; 0/1 is the whole")
        if shard.number >= shard.count:
            last = cls(shard.count - 1, shard.count)
            raise ValueError(f"{text!r} is no shard: they are counted from 0, so the last of {shard.count} is {last}")
        return shard

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


ShardText = Annotated[str, AfterValidator(lambda text: str(Shard.read(text)))]
