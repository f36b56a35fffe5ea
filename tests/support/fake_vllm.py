"""A stand-in for the executable `vllm`: it takes the same command line and fails in the ways that vLLM does.

Environment variables control it: FAKE_VLLM_LIVES is a folder in which each start leaves a file that tells of it (see `Life`),
and FAKE_VLLM_SCRIPT says for each start what it does: serve, slow, never, crash, port-taken, or die-after-N answers.
"""

import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.support.fake_endpoint import FakeEndpoint, Reply, Rule, answer_by_rule, prompt_of

if TYPE_CHECKING:
    import pytest


NUMBER = re.compile(r"Question (\d+)")


@dataclass(frozen=True)
class Life:
    """One start of it."""

    pid: int
    command: list[str]
    devices: str
    """Its CUDA_VISIBLE_DEVICES; empty: not set."""
    asked: list[str]
    """The numbers of the questions that it has answered."""

    @property
    def is_over(self) -> bool:
        """Return True if its process has ended."""
        return not Path(f"/proc/{self.pid}").exists()


def put_on_path(folder: Path, monkeypatch: "pytest.MonkeyPatch", script: str = "serve") -> Path:
    """Make it the executable `vllm` that a run finds, and let it follow the script; return the folder of its lives."""
    executable, lives = folder / "bin/vllm", folder / "lives"
    for made in (executable.parent, lives):
        made.mkdir()
    executable.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} "$@"\n')
    executable.chmod(0o755)
    monkeypatch.setenv("PATH", f"{executable.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_VLLM_LIVES", str(lives))
    monkeypatch.setenv("FAKE_VLLM_SCRIPT", script)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return lives


def read_lives(lives: Path) -> list[Life]:
    """Return all its starts, the first one first, without those that were ended before they could tell of themselves."""
    texts = [path.read_text().split("\n") for path in sorted(lives.iterdir())]
    told = [text for text in texts if len(text) > len(("pid", "command", "devices"))]
    return [Life(int(pid), command.split(), devices, asked[:-1]) for pid, command, devices, *asked in told]


def main() -> None:
    """Do what the script says for this start."""
    path = claim_life(Path(os.environ["FAKE_VLLM_LIVES"]))
    path.write_text(f"{os.getpid()}\n{' '.join(sys.argv[1:])}\n{os.environ.get('CUDA_VISIBLE_DEVICES', '')}\n")
    behaviour = os.environ["FAKE_VLLM_SCRIPT"].split()[int(path.name)]
    if behaviour == "crash":
        print("Traceback (most recent call last):\ntorch.cuda.OutOfMemoryError: CUDA out of memory.", file=sys.stderr)
        sys.exit(1)
    if behaviour == "port-taken":
        print("OSError: [Errno 98] error while attempting to bind: address already in use", file=sys.stderr)
        sys.exit(1)
    if behaviour in ("slow", "never"):
        time.sleep(1 if behaviour == "slow" else 3600)
    port = int(sys.argv[sys.argv.index("--port") + 1])
    last = int(behaviour.rpartition("-")[2]) if behaviour.startswith("die-after-") else None
    with FakeEndpoint(port) as endpoint, path.open("a", buffering=1) as log:
        endpoint.rule = answer_until(last, endpoint, log)
        time.sleep(3600)


def claim_life(lives: Path) -> Path:
    """Return the file of this start, made by it: others may be started at the same time."""
    number = 0
    while True:
        try:
            (lives / f"{number}").touch(exist_ok=False)
            return lives / f"{number}"
        except FileExistsError:
            number += 1


def answer_until(last: int | None, endpoint: FakeEndpoint, log: TextIO) -> Rule:
    """Return a rule that logs what it answers, and ends the process at the first request after this number of answers."""

    def rule(body: dict[str, Any]) -> Reply:
        if last is not None and len(endpoint.bodies) > last:
            os._exit(137)
        log.write(f"{NUMBER.findall(prompt_of(body))[-1]}\n")
        return answer_by_rule(body)

    return rule


if __name__ == "__main__":
    main()
