"""What other tools want to know of a run as a whole, read from its file."""

import math
import re
from datetime import datetime
from pathlib import Path

from tasks.evaluation.exporting.unicode_texts import replace_surrogates
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.reporting.saved_runs import SavedRun, read_setting

# As results are named; the time in a checkpoint's name is that of its run's beginning.
RESULTS_TIME = re.compile(r"(?!checkpoint_).*_(\d{8}_\d{6})\.json(?:\.gz)?")

# Members of a record that tell of one answer, and of no other to the same question.
OF_ONE_ANSWER = frozenset(
    {
        "usage",
        "reasoning",
        "finish_reason",
        "response_model",
        "token_logprobs",
        "model_time_seconds",
        "evaluation_time_seconds",
    }
)


class RunningMean:
    """The mean of numbers that come one at a time, and its standard error.

    The mean is that of their plain sum, which is exact for whole numbers. Source, of the error: Welford 1962.
    """

    def __init__(self) -> None:
        self.count = 0
        self._total = 0.0
        self._center = 0.0
        self._squares = 0.0

    def add(self, value: float) -> None:
        """Take one more number into account."""
        self.count += 1
        self._total += value
        step = value - self._center
        self._center += step / self.count
        self._squares += step * (value - self._center)

    @property
    def mean(self) -> float | None:
        """Return the mean; None if there are no numbers."""
        return self._total / self.count if self.count else None

    @property
    def standard_error(self) -> float | None:
        """Return the numbers' sample standard deviation / sqrt(count); None for fewer than two."""
        return math.sqrt(self._squares / (self.count - 1) / self.count) if self.count > 1 else None


def read_start(run: SavedRun) -> datetime:
    """Return when the run began, in local time; when its file was written if the file does not say."""
    text = read_setting(run.metadata, "evaluation_metadata", "timestamp")
    try:
        return datetime.fromisoformat(str(text)).astimezone()
    except ValueError:
        return datetime.fromtimestamp(run.path.stat().st_mtime).astimezone()


def read_end(run: SavedRun) -> datetime:
    """Return when the run ended, never before its start: by the time in its results' name, else when its file was written."""
    stamp = RESULTS_TIME.fullmatch(run.path.name)
    written = datetime.fromtimestamp(run.path.stat().st_mtime).astimezone()
    return max(read_start(run), datetime.strptime(stamp[1], "%Y%m%d_%H%M%S").astimezone() if stamp else written)


def name_task(run: SavedRun) -> str:
    """Return the questions file's name without its ending, as the name of the task; that of the results if it is unknown."""
    return replace_surrogates(Path(run.questions_file or run.path).name.partition(".")[0] or run.path.stem)


def read_generator_settings(run: SavedRun) -> JsonObject:
    """Return the settings that the model was asked with; empty if the file does not have them."""
    settings = read_setting(run.config, "model", "generator_settings")
    return settings if isinstance(settings, dict) else {}


def read_address(run: SavedRun) -> str | None:
    """Return the addresses at which the model was asked, with commas between them; None if the file names none."""
    base_url = read_generator_settings(run).get("base_url")
    addresses = base_url if isinstance(base_url, list) else [base_url]
    return ", ".join(each for each in addresses if isinstance(each, str) and each) or None


def read_object(record: JsonObject, name: str) -> JsonObject:
    """Return a member that is an object; empty if it is not one."""
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def list_repeats(record: JsonObject) -> list[JsonObject]:
    """Return a record for each time that the question was asked; the record itself if it was asked once."""
    repeats: JsonValue = record.get("repeats")
    told = [each for each in repeats if isinstance(each, dict)] if isinstance(repeats, list) else []
    shared = {name: value for name, value in record.items() if name not in OF_ONE_ANSWER}
    return [{**shared, **each} for each in told] or [record]
