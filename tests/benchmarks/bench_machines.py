"""Shards on machines that are switched off in mid-run: `python -m tests.benchmarks.bench_machines [--mode folder|s3] …`.

Each machine is a set of Linux namespaces (`unshare`) with a host name, process ids, a home and a working folder of its own, in
which a worker of Prefect takes shards, one at a time, and a model server stands beside it. One more runs the parent. In mode
`folder` they share the checkpoint directory, in mode `s3` a bucket on moto's server, and nothing else.

A kill is a power cut: SIGKILL for all of a machine's processes at once. At random moments that hits machines that are asking,
which are started again at once; one that never comes back; and the parent, once, which is retried. What is asserted at the end
stands in `judge`.
"""

import argparse
import json
import random
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.evaluation.run.batches import SHARED_TASK_RUNS, SMALLEST_SHARED_BATCH
from tests.support.fake_endpoint import right_count
from tests.support.machines import SLACK_SECONDS, WORKERS, Machine, Site, open_site
from tests.support.recording import Request
from tests.support.served import Served

# The share of the questions after which the first and the last machine are killed.
FIRST_KILL, LAST_KILL = 0.1, 0.85
AWAITING_RETRY = {"type": "SCHEDULED", "name": "AwaitingRetry"}


@dataclass
class Trial:
    """A run of the whole on its machines, with the power cuts that are still to come."""

    served: Served
    run_id: str
    machines: list[Machine]
    parent: Machine
    rng: random.Random
    cuts: list[tuple[int, str]]
    """After how many questions each comes, and what it hits: `machine`, `lost` or `parent`."""
    began: float = field(default_factory=time.monotonic)

    def watch(self) -> None:
        """Cut the power at the moments that were drawn, and retry the run if it crashes, until it has ended."""
        while True:
            name, message = self.served.state(self.run_id)
            if name in ("Completed", "Failed"):
                self.say(f"{name}: {message}")
                return
            if name == "Crashed":
                self.say(f"the parent is retried: {message}")
                self.served.call("POST", f"flow_runs/{self.run_id}/set_state", {"state": AWAITING_RETRY, "force": True})
            while self.cuts and self.count_asked() >= self.cuts[0][0] and (victim := self.choose(self.cuts[0][1])):
                self.cut(victim, self.cuts.pop(0)[1])
            time.sleep(0.5)

    def choose(self, kind: str) -> Machine | None:
        """Return what is hit: the parent's machine, or one of those that are asking."""
        asking = [machine for machine in self.machines if machine.is_asking]
        return self.parent if kind == "parent" else self.rng.choice(asking) if asking else None

    def cut(self, machine: Machine, kind: str) -> None:
        """Cut the machine's power, and start it again unless it is lost."""
        machine.kills.append(time.monotonic())
        machine.cut_power()
        self.say(f"{machine.name} is killed{' for good' if kind == 'lost' else ''} after {self.count_asked():,} requests")
        if kind != "lost":
            machine.start()

    def count_asked(self) -> int:
        """Return how many requests all model servers have got."""
        return sum(len(machine.endpoint.bodies) for machine in [*self.machines, self.parent])

    def say(self, text: str) -> None:
        """Print what happens, with the seconds since the start."""
        print(f"{time.monotonic() - self.began:6.0f} s  {text}", flush=True)


def judge(trial: Trial, questions: int, mode: str) -> str:
    """Return what the kills have cost.

    Raises:
        AssertionError: the accuracy is not the known one, a question is missing or there twice, or one was asked again for
            which no kill is the reason.
    """
    path = max((trial.parent.folder / "work/out").glob("exam_fake_*.json"))
    content: dict[str, Any] = json.loads(path.read_text())
    assert sorted(result["question_id"] for result in content["results"]) == list(range(1, questions + 1))
    accuracy = content["metadata"]["statistics"]["accuracy"]
    assert accuracy == right_count(questions) / questions, accuracy
    askings = defaultdict[str, list[tuple[Request, Machine]]](list)
    for machine in [*trial.machines, trial.parent]:
        for request in machine.endpoint.requests:
            askings[request.prompt].append((request, machine))
    assert len(askings) == questions
    in_vain = [each for same in askings.values() for each in sorted(same, key=lambda each: each[0].received)[:-1]]
    in_flight = sum(machine.had_in_flight(request) for request, machine in in_vain)
    kills = sum(len(machine.kills) for machine in trial.machines)
    batch = max(SMALLEST_SHARED_BATCH, -(-questions // SHARED_TASK_RUNS)) if mode == "s3" else 0
    assert all(machine.kills and request.received < max(machine.kills) + SLACK_SECONDS for request, machine in in_vain)
    assert mode == "s3" or in_flight == len(in_vain), (
        f"{len(in_vain) - in_flight} were asked again without having been in flight"
    )
    assert len(in_vain) <= kills * (WORKERS + 2 * batch), f"{len(in_vain)} were asked again"
    return (
        f"{questions:,} questions, each in the results once, accuracy {accuracy}; {len(in_vain)} were asked again, "
        f"{in_flight} of them in flight at one of the {kills} kills; "
        f"each at most {max(len(same) for same in askings.values())} times; the run of the whole asked "
        f"{len(trial.parent.endpoint.requests)}"
    )


def run_trial(site: Site, stack: ExitStack, options: argparse.Namespace) -> Trial:
    """Start the machines and the run, and watch it to its end."""
    rng = random.Random(options.seed)
    machines = [site.build(f"machine-{n}", "shards", options.questions) for n in range(1, options.machines + 1)]
    parent = site.build("parent", "urgent", options.questions)
    for machine in [*machines, parent]:
        stack.enter_context(machine.endpoint)
        machine.start()
        stack.callback(machine.cut_power)
    kinds = ["lost", "parent", *["machine"] * options.kills]
    rng.shuffle(kinds)
    moments = rng.sample(range(int(options.questions * FIRST_KILL), int(options.questions * LAST_KILL)), len(kinds))
    run_id = site.served.start("evaluate-sharded", shards=options.shards)
    trial = Trial(site.served, run_id, machines, parent, rng, list(zip(sorted(moments), kinds, strict=True)))
    trial.watch()
    assert not trial.cuts, f"the run ended before these cuts: {trial.cuts}"
    return trial


def main() -> None:
    """Run the trial, and print what was killed and what that has cost."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=["folder", "s3"], default="folder")
    parser.add_argument("--questions", type=int, default=20_000, metavar="N")
    parser.add_argument("--shards", type=int, default=64, metavar="N")
    parser.add_argument("--machines", type=int, default=8, metavar="N")
    parser.add_argument("--kills", type=int, default=6, metavar="N", help="kills of machines that come back (6)")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, open_site(Path(scratch), options.mode) as site, ExitStack() as stack:
        trial = run_trial(site, stack, options)
        print(judge(trial, options.questions, options.mode))


if __name__ == "__main__":
    main()
