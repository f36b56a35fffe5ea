"""The beginning of a results file, by which it is recognised. What writes one imports much more than what reads one."""

import json

from tasks.evaluation.json_lines import JsonObject

RESULTS_BEGIN = b', "results": [\n'


def parse_results_head(first_line: bytes) -> JsonObject | None:
    """Return the metadata of a results file, given its first line; None if it is not one that `write_results` has begun."""
    head, found, rest = first_line.rpartition(RESULTS_BEGIN)
    if not found or rest:
        return None
    try:
        members: JsonObject = json.loads(head + b"}")
    except (ValueError, RecursionError):
        return None
    metadata = members.get("metadata")
    return metadata if isinstance(metadata, dict) else None
