"""What a run comes to: its accuracy, and the files that hold its results.

    {output_directory}/{output_prefix}_{model}_{time}.json            {"metadata": {…}, "results": […]}, by question_id
    {output_directory}/{output_prefix}_incorrect_{model}_{time}.json  the same for the questions with a score below 1
    {output_directory}/{output_prefix}_config_{model}_{time}.yaml     the settings, keys masked

Each is written whole under another name, fsynced and renamed; a taken time moves on a second.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from tasks.evaluation.config.config import Config
from tasks.evaluation.errors import MAKE_ROOM, StorageFailure
from tasks.evaluation.json_lines import JsonObject, from_line
from tasks.evaluation.questions.questions import Questions
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.statistics.accuracy import Accuracy
from tasks.evaluation.storage.durable_files import Published, claim_time, replace_file, write_durably, write_pieces
from tasks.evaluation.storage.file_names import sanitize_filename
from tasks.evaluation.storage.temporary_files import name_temporary_file

# More lines than these push the rest off the screen.
SHOWN_GROUPS = 100
FORMAT_NAMES = {"m": "Multiple choice", "q": "Short answers"}


@dataclass(frozen=True)
class Statistics:
    """A run's accuracy over all questions, by format and by a field's values, what stands out, and what does not count.

    `no_choice` are answers to multiple choice that chose nothing, `truncated` those that were cut; both are scored. `f1` is the
    mean token F1 of short answers that no grader has graded, None where there are none.
    """

    selected: int
    overall: Accuracy | None
    by_format: dict[str, Accuracy]
    by_group: dict[str, Accuracy]
    no_choice: int
    truncated: int
    f1: float | None
    refused: int
    unusable: int
    unscored: int

    def to_json(self) -> JsonObject:
        """The statistics as files hold them."""
        return {
            "selected": self.selected,
            "scored": self.overall.count if self.overall else 0,
            "accuracy": self.overall.accuracy if self.overall else None,
            "standard_error": self.overall.standard_error if self.overall else None,
            "by_format": {name: accuracy.to_json() for name, accuracy in self.by_format.items()},
            "by_group": {name: accuracy.to_json() for name, accuracy in self.by_group.items()},
            "no_choice": self.no_choice,
            "truncated": self.truncated,
            "f1": self.f1,
            "refused": self.refused,
            "unusable": self.unusable,
            "unscored": self.unscored,
        }

    def lines(self) -> list[str]:
        """The statistics as the terminal shows them."""
        shown = [f"📊 Accuracy: {self.overall}" if self.overall else "📊 Accuracy: none, no question was scored"]
        if len(self.by_format) > 1:
            shown += [f"   {name}: {accuracy}" for name, accuracy in self.by_format.items()]
        if len(self.by_group) <= SHOWN_GROUPS:
            shown += [f"   {name or 'without a value'}: {accuracy}" for name, accuracy in self.by_group.items()]
        else:
            shown.append(f"   By field: {len(self.by_group):,} values, in the results' metadata")
        if self.f1 is not None:
            shown.append(f"   Token F1 of the short answers: {self.f1:.4f}")
        if self.no_choice:
            shown.append(f"   Chose nothing, counted as wrong: {self.no_choice:,}")
        if self.truncated:
            shown.append(f"   Cut before their end, scored as far as they go: {self.truncated:,} (raise max_tokens)")
        if self.refused:
            shown.append(f"   Refused by the endpoint, not counted: {self.refused:,} (ask again with --retry-refused)")
        if self.unusable:
            shown.append(f"   Entries that cannot be asked, not counted: {self.unusable:,}")
        if self.unscored:
            shown.append(f"   Not scored yet: {self.unscored:,}")
        return shown


def compute_statistics(ledger: Ledger, first: int | None = None) -> Statistics:
    """The statistics of the first so many results; None: of all that there are."""
    positions = np.array(ledger.results.positions(0, len(ledger.results) if first is None else first), dtype=np.int64)
    formats = np.array(ledger.formats)
    columns = {"score": ledger.scores, "no_choice": ledger.no_choice, "truncated": ledger.truncated, "f1": ledger.f1}
    frame = pd.DataFrame({name: values[positions] for name, values in columns.items()} | {"format": formats[positions]})
    scored = frame[frame["score"].notna()]
    unusable = min(ledger.unusable_count, len(frame))
    return Statistics(
        selected=len(ledger.questions),
        overall=_measure(scored["score"]) if len(scored) else None,
        by_format={FORMAT_NAMES[str(key)]: _measure(group) for key, group in scored.groupby("format")["score"]},
        by_group=_measure_groups(ledger.questions, positions[frame["score"].notna()], scored["score"]),
        no_choice=int(scored["no_choice"].sum()),
        truncated=int(scored["truncated"].sum()),
        f1=float(scored["f1"].mean()) if scored["f1"].notna().any() else None,
        refused=len(frame) - len(scored) - unusable,
        unusable=unusable,
        unscored=len(ledger.questions) - len(frame),
    )


def write_results(ledger: Ledger, config: Config, metadata: Callable[[int], JsonObject], now: datetime) -> dict[str, Path]:
    """Write the files above; give their paths as `results`, `incorrect` (where asked for) and `config`.

    Raises:
        StorageFailure: they cannot be written.
    """
    folder = Path(config.output.output_directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _write_files(folder, ledger, config, metadata(len(ledger.results)), now)
    except OSError as error:
        raise StorageFailure(
            f"cannot write the results in {folder}: {error.strerror or error}; every score is kept: {MAKE_ROOM}"
        ) from error


def _write_files(folder: Path, ledger: Ledger, config: Config, metadata: JsonObject, now: datetime) -> dict[str, Path]:
    prefix, model = sanitize_filename(config.output.output_prefix), sanitize_filename(config.model.generator_settings.model)
    stamp = _write(folder, _document(metadata, _read_lines(ledger)), claim_time(folder / f"{prefix}_{model}", now))
    written = {"results": folder / f"{prefix}_{model}_{stamp}.json"}
    if config.output.save_incorrect:
        written["incorrect"] = folder / f"{prefix}_incorrect_{model}_{stamp}.json"
        _write(folder, _document(metadata, _read_incorrect(ledger)), replace_file(written["incorrect"]))
    written["config"] = folder / f"{prefix}_config_{model}_{stamp}.yaml"
    settings = yaml.safe_dump(config.for_files(), allow_unicode=True)
    _write(folder, [settings.encode()], replace_file(written["config"]))
    return written


def _measure_groups(
    questions: Questions, positions: "np.ndarray[tuple[int], np.dtype[np.int64]]", scores: "pd.Series[float]"
) -> dict[str, Accuracy]:
    """The accuracy of each group that has a scored question, by name; empty where there are no groups."""
    names = questions.group_names
    if not names:
        return {}
    measured = {names[int(str(code))]: _measure(group) for code, group in scores.groupby(questions.groups_of(positions))}
    return dict(sorted(measured.items()))


def _measure(scores: "pd.Series[float]") -> Accuracy:
    """As `measure_scores`, for a million scores at a time."""
    values = scores.to_numpy(dtype=float)
    count = len(values)
    error = float(values.std(ddof=1)) / math.sqrt(count) if count > 1 else None
    return Accuracy(count, score_sum=math.fsum(values), accuracy=math.fsum(values) / count, standard_error=error)


def _read_lines(ledger: Ledger) -> Iterator[bytes]:
    """The finished questions' records in the order of the selection."""
    positions = range(len(ledger.questions))
    return (ledger.results.read(position) for position in positions if position in ledger.results)


def _read_incorrect(ledger: Ledger) -> Iterator[bytes]:
    for line in _read_lines(ledger):
        result = from_line(line)
        score = result.get("score")
        if not result.get("skipped") and isinstance(score, int | float) and score < 1:
            yield line


def _document(metadata: JsonObject, lines: Iterable[bytes]) -> Iterator[bytes]:
    yield b'{"metadata": ' + json.dumps(metadata, ensure_ascii=False).encode() + b', "results": ['
    separator = b"\n"
    for line in lines:
        yield separator + line
        separator = b",\n"
    yield b"\n]}\n"


def _write(folder: Path, pieces: Iterable[bytes], publish: Callable[[Path], Published]) -> Published:
    temporary = folder / name_temporary_file("mcqa")
    return write_durably(temporary, lambda descriptor: write_pieces(descriptor, pieces), publish)
