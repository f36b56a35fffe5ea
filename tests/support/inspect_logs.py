"""Reads a log with inspect-ai in a process of its own, whose warnings and imports are not the tests'."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READ = """
import json, sys
from inspect_ai.log import read_eval_log, read_eval_log_sample, read_eval_log_sample_summaries
log = read_eval_log(sys.argv[1])
log.samples = log.samples or []
one = read_eval_log_sample(sys.argv[1], log.samples[0].id, log.samples[0].epoch)
assert one == log.samples[0]
summaries = [summary.model_dump(mode="json") for summary in read_eval_log_sample_summaries(sys.argv[1])]
print(json.dumps({"log": log.model_dump(mode="json"), "summaries": summaries}))
"""


@dataclass(frozen=True)
class InspectLog:
    """A log as inspect-ai reads it, as JSON."""

    log: dict[str, Any]
    """The log with its samples."""
    summaries: list[dict[str, Any]]
    """The samples' summaries."""

    @property
    def samples(self) -> list[dict[str, Any]]:
        """Return the log's samples."""
        return list(self.log["samples"])


def read_inspect_log(path: Path) -> InspectLog:
    """Return the log that inspect-ai reads from the file."""
    done = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True)
    return InspectLog(**json.loads(done.stdout))
