"""What was retrieved for a question, as its answer keeps it: where the chunks lie in the corpus, not what they say."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tasks.evaluation.errors import DamagedFile
from tasks.evaluation.json_lines import JsonObject, JsonValue

RETRIEVAL = "retrieval"
RETRIEVAL_INFO = "retrieval_info"


@dataclass(frozen=True)
class Retrieved:
    """The chunks that were found for a question, the best first."""

    indices: tuple[int, ...]
    """Their places in the corpus."""
    scores: tuple[float, ...]
    """How near they are."""
    used: int
    """How many of them, the first, were put before the question."""

    def drop_last(self) -> "Retrieved":
        """Return the same with one chunk fewer before the question."""
        return replace(self, used=self.used - 1)

    def to_json(self) -> JsonObject:
        """Return the same as JSON."""
        return {"indices": list(self.indices), "scores": list(self.scores), "used": self.used}

    @classmethod
    def from_json(cls, stored: Mapping[str, JsonValue]) -> "Retrieved":
        """Return what `to_json` wrote.

        Raises:
            DamagedFile: a field is missing or has the wrong type.
        """
        indices, scores, used = (stored.get(name) for name in ("indices", "scores", "used"))
        if not isinstance(indices, list) or not isinstance(scores, list) or len(indices) != len(scores):
            raise DamagedFile("a record of what was retrieved lacks a field")
        is_sound = all(_is_place(index) for index in indices) and all(isinstance(score, int | float) for score in scores)
        if not is_sound or not _is_place(used) or used > len(indices):  # type: ignore[operator]
            raise DamagedFile("a record of what was retrieved is not sound")
        return cls(tuple(indices), tuple(float(score) for score in scores), used)  # type: ignore[arg-type]


def read_retrieved(result: Mapping[str, JsonValue]) -> JsonObject | None:
    """Return what a result, or one of its repeats, says about what was retrieved, in the short form; None if nothing was."""
    short = result.get(RETRIEVAL)
    if isinstance(short, dict):
        return short
    info = result.get(RETRIEVAL_INFO)
    if not isinstance(info, dict) or info.get("context_source") not in ("retrieved", "none"):
        return None
    indices, scores = _first(info.get("retrieval_indices")), _first(info.get("retrieval_scores"))
    dropped = info.get("chunks_dropped")
    is_count = isinstance(dropped, int) and 0 <= dropped <= len(indices)
    return {"indices": indices, "scores": scores, "used": len(indices) - (dropped if is_count else 0)}  # type: ignore[operator]


def _first(value: JsonValue) -> list[JsonValue]:
    """Return the first list in a list; the original scorer's form has one for each query."""
    first = value[0] if isinstance(value, list) and value else []
    return first if isinstance(first, list) else []


def _is_place(value: JsonValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
