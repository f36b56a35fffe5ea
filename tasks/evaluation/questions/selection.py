"""Which of a file's questions a run takes."""

import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

# Of a whole file, or the first of it, each question's place is its position.
Places = Sequence[int]


@dataclass(frozen=True)
class Selection:
    """Which of the file's questions a run takes: a random sample, the first `limit`, the first of a sample, or all."""

    random_selection: int | None
    random_seed: int
    limit: int | None

    def choose(self, count: int) -> Places:
        """Return the 0-based places in the file, in the order in which they are asked.

        The sample is the one that the original draws: `random.seed(seed)`, then `random.sample(questions, n)`. There is no
        sampling if n is not smaller than the file.
        """
        places = range(count)
        if self.random_selection is not None and self.random_selection < count:
            drawn = random.Random(self.random_seed).sample(places, self.random_selection)  # noqa: S311 - no secret
            return array("Q", drawn[: self.limit])
        return places[: self.limit]
