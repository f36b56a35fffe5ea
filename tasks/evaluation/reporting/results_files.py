"""The files that hold a run's results.

    {output_directory}/{output_prefix}_{model}_{time}.json            {"metadata": {…}, "results": […]}, by question_id
    {output_directory}/{output_prefix}_incorrect_{model}_{time}.json  the same for the questions with a score below 1
    {output_directory}/{output_prefix}_config_{model}_{time}.yaml     the settings, keys masked

Each is written whole under a temporary name, fsynced and renamed. If a file with the same time exists, the time is moved on by
a second.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

import yaml

from tasks.evaluation.config.config import Config
from tasks.evaluation.errors import MAKE_ROOM, StorageFailure
from tasks.evaluation.json_lines import JsonObject, from_line
from tasks.evaluation.reporting.results_head import RESULTS_BEGIN
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.storage.durable_files import Published, claim_time, replace_file, write_durably, write_pieces
from tasks.evaluation.storage.file_names import sanitize_filename
from tasks.evaluation.storage.temporary_files import name_temporary_file


def write_results(ledger: Ledger, config: Config, metadata: Callable[[int], JsonObject], now: datetime) -> dict[str, Path]:
    """Write the files above; return their paths as `results`, `incorrect` (if asked for) and `config`.

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


def _read_lines(ledger: Ledger) -> Iterator[bytes]:
    """Return the finished questions' records in the order of the selection."""
    return ledger.results.stream(range(len(ledger.questions)))


def _read_incorrect(ledger: Ledger) -> Iterator[bytes]:
    for line in _read_lines(ledger):
        result = from_line(line)
        score = result.get("score")
        if not result.get("skipped") and isinstance(score, int | float) and score < 1:
            yield line


def _document(metadata: JsonObject, lines: Iterable[bytes]) -> Iterator[bytes]:
    yield b'{"metadata": ' + json.dumps(metadata, ensure_ascii=False).encode() + RESULTS_BEGIN
    separator = b""
    for line in lines:
        yield separator + line
        separator = b",\n"
    yield b"\n]}\n"


def _write(folder: Path, pieces: Iterable[bytes], publish: Callable[[Path], Published]) -> Published:
    temporary = folder / name_temporary_file("mcqa")
    return write_durably(temporary, lambda descriptor: write_pieces(descriptor, pieces), publish)
