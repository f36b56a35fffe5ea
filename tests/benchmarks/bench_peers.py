"""mcqa-flow beside inspect-ai and lm-evaluation-harness: `python -m tests.benchmarks.bench_peers [--questions N] [--rounds N]`.

All three put the same questions to the same server, 64 at a time, one program after the other. In each round a program runs
once from beginning to end, and once more in a new folder, where `kill -9` ends it and its children when half of the questions
are asked, and the same command is called again. The peers are installed from PyPI into an environment of their own: a temporary
one, or the folder of `--environment`, where a later call finds them.

Questions a second are those of the whole command, and from the first request to the last reply, as the server sees them;
processor time and bytes written are those of the command with all its children, its start included. `again` are requests that
repeat an earlier one, counted by the server: what is paid twice. `lost` are questions without the answer that the server has
given, `doubled` further answers to the same question, both in what the second call has written. Behind the medians stands their
ratio to ours; of the kills every one is shown.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.outcomes import Outcome, judge
from tests.support.peers import Program, install_peers, list_programs, make_environment, prepare
from tests.support.quick_endpoint import look_at_traffic, quick_endpoint, take_traffic

LOOK_SECONDS = 0.005
# As the kernel counts what a process has written.
BLOCK_BYTES = 512
MEASURES = ("whole/s", "asking/s", "CPU ms", "kB")


@dataclass
class Found:
    """What was measured of a program, an entry a round."""

    costs: list[tuple[float, ...]] = field(default_factory=list)
    """Questions a second of the whole run and while it asks; of a question, processor time in ms and kB written."""
    outcomes: list[Outcome] = field(default_factory=list)
    """After a kill and a second call."""

    def medians(self) -> list[float]:
        """Return the median of each measure."""
        return [statistics.median(each) for each in zip(*self.costs, strict=True)]


def start(program: Program, url: str, folder: Path, workers: int) -> "subprocess.Popen[bytes]":
    """Start the program in the folder, in a process group of its own."""
    command, environment = program.command(url, workers), make_environment(folder)
    with (folder / "output.log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)


def check(program: Program, status: int, folder: Path) -> None:
    """End the benchmark if the program has failed."""
    if status:
        sys.exit(f"{program.name} ended with {status}:\n{(folder / 'output.log').read_text()[-2000:]}")


def run_whole(program: Program, url: str, folder: Path, options: argparse.Namespace) -> tuple[float, ...]:
    """Run the program to its end, and return what it has taken."""
    take_traffic(url)
    started = time.monotonic()
    process = start(program, url, folder, options.workers)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    check(program, status, folder)
    traffic, count = take_traffic(url), options.questions
    outcome = judge(program.read_answers(folder), traffic, count)
    if outcome != Outcome(0, 0, 0):
        print(f"{program.name}, not killed: {outcome}", flush=True)
    cpu_seconds = usage.ru_utime + usage.ru_stime
    return count / seconds, count / traffic.seconds, cpu_seconds / count * 1e3, usage.ru_oublock * BLOCK_BYTES / count / 1e3


def run_killed(program: Program, url: str, folder: Path, options: argparse.Namespace) -> Outcome:
    """Kill the program at half, call it again, and return what that has cost."""
    take_traffic(url)
    process = start(program, url, folder, options.workers)
    while process.poll() is None and look_at_traffic(url).requests < options.questions / 2:
        time.sleep(LOOK_SECONDS)
    if process.returncode is not None:
        sys.exit(f"{program.name} ended before it could be killed:\n{(folder / 'output.log').read_text()[-2000:]}")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    check(program, start(program, url, folder, options.workers).wait(), folder)
    return judge(program.read_answers(folder), take_traffic(url), options.questions)


def measure(programs: list[Program], options: argparse.Namespace, folder: Path) -> dict[str, Found]:
    """Return what each program costs, measured in turns."""
    found = {program.name: Found() for program in programs}
    with quick_endpoint() as url:
        for number in range(options.rounds):
            for program in programs:
                whole, killed = (folder / f"{program.name}-{number}-{way}" for way in ("whole", "killed"))
                for each in (whole, killed):
                    each.mkdir()
                    prepare(each, url, count=options.questions, workers=options.workers)
                found[program.name].costs.append(run_whole(program, url, whole, options))
                found[program.name].outcomes.append(run_killed(program, url, killed, options))
    return found


def print_table(programs: list[Program], found: dict[str, Found]) -> None:
    """Print a row a program."""
    heads = "".join(f"{name:>9} {'ratio':>6}" for name in MEASURES)
    print(f"{'program':<22}{heads}   {'again':<14} {'lost':<10} doubled")
    ours = found[programs[0].name].medians()
    for program in programs:
        medians, outcomes = found[program.name].medians(), found[program.name].outcomes
        cells = "".join(f"{value:>9.2f} {value / own:>6.2f}" for value, own in zip(medians, ours, strict=True))
        again, lost, doubled = (
            " ".join(str(getattr(each, name)) for each in outcomes) for name in ("asked_again", "lost", "doubled")
        )
        print(f"{f'{program.name} {program.read_version()}':<22}{cells}   {again:<14} {lost:<10} {doubled}", flush=True)


def main() -> None:
    """Measure in an empty folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--questions", type=int, default=2_000, metavar="N")
    parser.add_argument("--workers", type=int, default=64, metavar="N", help="questions at a time")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--environment", type=Path, metavar="DIR", help="where the peers are installed, and stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        environment = (options.environment or folder / "environment").resolve()
        install_peers(environment)
        programs = list_programs(environment)
        print_table(programs, measure(programs, options, folder))


if __name__ == "__main__":
    main()
