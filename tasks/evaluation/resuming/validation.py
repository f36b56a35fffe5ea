"""Validation of a checkpoint: the whole file is read and checked against what its format promises."""

from collections.abc import Hashable

from tasks.evaluation.errors import DamagedFile
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.statistics.accuracy import is_score
from tasks.evaluation.storage.checkpoint import Checkpoint
from tasks.evaluation.storage.checkpoint_reader import read_completed_indices, read_results

SHOWN_NUMBERS = 5


def find_faults(checkpoint: Checkpoint) -> list[str]:
    """Return the faults in the file, each kind once; empty if it is complete and sound. Reads all of it."""
    faults: dict[str, list[int]] = {}
    seen: set[Hashable] = set()
    count = 0
    try:
        for count, result in enumerate(read_results(checkpoint.path), start=1):
            for fault in _check_result(result, seen, has_ids=bool(checkpoint.evaluation_id)):
                faults.setdefault(fault, []).append(count)
    except DamagedFile as error:
        return [f"it is damaged: {error}"]
    found = [f"{fault}: {_name_results(numbers)}" for fault, numbers in faults.items()]
    if count != checkpoint.completed_count:
        found.append(f"completed_count is {checkpoint.completed_count:,}, and it holds {count:,} results")
    elif read_completed_indices(checkpoint.path) != {key for key in seen if isinstance(key, int)}:
        found.append("completed_indices names other questions than the results do")
    return found


def _check_result(result: JsonObject, seen: set[Hashable], *, has_ids: bool) -> list[str]:
    """Return the faults of one result, and add its number and score id to `seen`."""
    faults: list[str] = []
    number, score_id = result.get("question_id"), result.get("score_id")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        faults.append("no question_id")
    elif number in seen:
        faults.append("a question_id that an earlier result has too")
    else:
        seen.add(number)
    # An entry that cannot be asked has no question, and no ids.
    if has_ids and "question" in result:
        if not isinstance(score_id, str) or not isinstance(result.get("answer_id"), str):
            faults.append("no answer_id or score_id")
        elif score_id in seen:
            faults.append("a question that an earlier result holds too")
        else:
            seen.add(score_id)
    if not result.get("skipped") and not is_score(result.get("score")):
        faults.append("neither score nor skipped")
    return faults


def _name_results(numbers: list[int]) -> str:
    """Return the places of results in the file, counted from 1, as text for a message."""
    shown = ", ".join(f"{number:,}" for number in numbers[:SHOWN_NUMBERS])
    more = f" and {len(numbers) - SHOWN_NUMBERS:,} more" if len(numbers) > SHOWN_NUMBERS else ""
    return f"{'result' if len(numbers) == 1 else 'results'} {shown}{more}"
