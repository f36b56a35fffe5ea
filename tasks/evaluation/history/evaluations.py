"""Runs in the order of their time, each beside the one before it that measured the same.

A run counts in its evaluation's history if it is a measurement of its own: finished, of the whole selection and no shard of it,
and not made of the answers of a finished run. Others are shown with a mark that says why they do not count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.history.past_runs import LeftOut, PastRun, find_past_runs, name_selection

Mark = Literal["", "unfinished", "nothing scored", "limited", "shard", "answers reused"]
SHOWN_NAMES = 10


@dataclass(frozen=True)
class Entry:
    """A run in its evaluation's history."""

    run: PastRun
    """The run."""
    mark: Mark
    """Why it does not count; empty if it does."""
    before: PastRun | None
    """The run before it in the same evaluation that counts; None for the first, and for a run that does not count."""

    @property
    def difference(self) -> float | None:
        """Return its accuracy less that of the run before; None without one."""
        if self.before is None or self.before.accuracy is None or self.run.accuracy is None:
            return None
        return self.run.accuracy - self.before.accuracy


@dataclass(frozen=True)
class History:
    """The runs in a folder."""

    entries: tuple[Entry, ...]
    """The runs, the oldest first."""
    left_out: tuple[LeftOut, ...]
    """The files that hold none."""

    def by_questions(self) -> dict[str, list[Entry]]:
        """Return the runs by the name of their questions file, the one that was asked last first; the oldest run first."""
        parts: dict[str, list[Entry]] = {}
        for entry in self.entries:
            parts.setdefault(name_selection(entry.run.saved.provenance.selection), []).append(entry)
        return dict(sorted(parts.items(), key=lambda part: part[1][-1].run.time, reverse=True))

    def follow(self, history_id: str) -> list[Entry]:
        """Return the evaluation's runs that count, the oldest first."""
        return [entry for entry in self.entries if entry.run.history_id == history_id and not entry.mark]


def read_history(folder: Path) -> History:
    """Return the history of all evaluations whose results lie in the folder.

    Raises:
        UserMistake: there is no such folder, or it cannot be read.
    """
    runs, left_out = find_past_runs(folder)
    return History(tuple(line_up(runs)), tuple(left_out))


def line_up(runs: Iterable[PastRun]) -> list[Entry]:
    """Return each run with its mark and the run before it; the runs are given the oldest first."""
    entries: list[Entry] = []
    last: dict[str, PastRun] = {}
    answered: set[tuple[str, str]] = set()
    for run in runs:
        shared = run.history_id, run.saved.provenance.private_run_id
        mark = _mark(run, is_answered=shared in answered)
        entries.append(Entry(run, mark, None if mark else last.get(run.history_id)))
        if not mark:
            last[run.history_id] = run
            answered.add(shared)
        elif mark == "unfinished" and not run.saved.provenance.reused_count:
            answered.discard(shared)  # it began afresh, so what continues it is a new measurement
    return entries


def select(history: History, *, questions: str | None = None, model: str | None = None) -> History:
    """Return the history of one questions file, or of one model.

    Args:
        history: the history of all.
        questions: the file's path as in the settings, or its name alone; None: all files.
        model: the model's name; None: all models.

    Raises:
        UserMistake: no run has it.
    """
    entries = [entry for entry in history.entries if questions is None or _asks(entry.run, questions)]
    _require(entries, f"the questions {questions}", [name_selection(e.run.saved.provenance.selection) for e in history.entries])
    of_model = [entry for entry in entries if model is None or entry.run.saved.model == model]
    _require(of_model, f"the model {model}", [entry.run.saved.model for entry in entries])
    return History(tuple(of_model), history.left_out)


def _mark(run: PastRun, *, is_answered: bool) -> Mark:
    """Return why the run does not count; `is_answered` if a finished run before it may have lent it its answers."""
    if run.unscored:
        return "unfinished"
    if run.accuracy is None:
        return "nothing scored"
    if run.saved.provenance.selection.shard:
        return "shard"
    if run.is_limited:
        return "limited"
    return "answers reused" if is_answered and run.saved.provenance.reused_count else ""


def _asks(run: PastRun, questions: str) -> bool:
    path = run.saved.questions_file
    return questions in (path, Path(path).name) or Path(questions).absolute() == Path(path).absolute()


def _require(entries: Sequence[Entry], wanted: str, there: Sequence[str]) -> None:
    if entries or not there:
        return
    names = list(dict.fromkeys(there))
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    raise UserMistake(f"no run has {wanted}; there are {', '.join(map(repr, names[:SHOWN_NAMES]))}{more}")
