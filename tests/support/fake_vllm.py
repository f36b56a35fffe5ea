"""A stand-in for the executable `vllm`: it takes the same command line and fails in the ways that vLLM does.

Environment variables control it: FAKE_VLLM_LIVES is a folder in which each start leaves a file with its command line, and
FAKE_VLLM_SCRIPT says for each start what it does: serve, slow, never, crash, port-taken, or die-after-N answers.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.support.fake_endpoint import FakeEndpoint, Reply, answer_by_rule


def main() -> None:
    """Do what the script says for this start."""
    lives = Path(os.environ["FAKE_VLLM_LIVES"])
    life = len(list(lives.iterdir()))
    (lives / f"{life}").write_text(f"{os.getpid()} {' '.join(sys.argv[1:])}")
    behaviour = os.environ["FAKE_VLLM_SCRIPT"].split()[life]
    if behaviour == "crash":
        print("Traceback (most recent call last):\ntorch.cuda.OutOfMemoryError: CUDA out of memory.", file=sys.stderr)
        sys.exit(1)
    if behaviour == "port-taken":
        print("OSError: [Errno 98] error while attempting to bind: address already in use", file=sys.stderr)
        sys.exit(1)
    if behaviour in ("slow", "never"):
        time.sleep(1 if behaviour == "slow" else 3600)
    port = int(sys.argv[sys.argv.index("--port") + 1])
    with FakeEndpoint(port) as endpoint:
        if behaviour.startswith("die-after-"):
            endpoint.rule = die_after(int(behaviour.rpartition("-")[2]), endpoint)
        time.sleep(3600)


def die_after(answers: int, endpoint: FakeEndpoint) -> Any:
    """Return a rule that ends the process at the first request after this number of answers."""

    def rule(body: dict[str, Any]) -> Reply:
        if len(endpoint.bodies) > answers:
            os._exit(137)
        return answer_by_rule(body)

    return rule


if __name__ == "__main__":
    main()
