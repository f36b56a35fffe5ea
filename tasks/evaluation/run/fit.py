"""How much of a checkpoint fits a run: what resuming would reuse, grade again and ask. Asks nothing, writes nothing."""

from dataclasses import asdict, dataclass
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import NO_KEY, KeyReader
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.resuming.differences import explain_misfit
from tasks.evaluation.resuming.reuse import Reuser
from tasks.evaluation.run.opening import open_ledger
from tasks.evaluation.run.preparation import find_endpoints
from tasks.evaluation.run.start import read_and_prepare
from tasks.evaluation.storage.checkpoint import Checkpoint


@dataclass(frozen=True)
class Fit:
    """What a checkpoint holds of a run's questions: `selected` = `finished` + `graded_anew` + `to_ask` + `unusable`."""

    selected: int
    """The number of questions that the run selects."""
    finished: int
    """The number of questions whose results are reused."""
    graded_anew: int
    """The number of questions whose answers are reused and graded again."""
    to_ask: int
    """The number of questions that are asked."""
    asked_again: int
    """The number of those `to_ask` that were skipped, or failed, in a run of the original scorer."""
    unusable: int
    """The number of entries that cannot be asked."""
    misfits: list[str]
    """The reasons if nothing fits, else empty."""

    def to_json(self) -> JsonObject:
        """Return the same as JSON."""
        return asdict(self)


class NoKeys(KeyReader):
    """Reads no key, wherever the settings keep it: nothing is asked, and no id depends on a key."""

    def __init__(self) -> None:
        super().__init__({}, lambda _: NO_KEY)

    def read(self, key: str | None, setting: str, base_url: str | None) -> str:  # noqa: ARG002 - the reader's signature
        """Return the placeholder for no key."""
        return NO_KEY


def measure_fit(checkpoint: Checkpoint, config: Config, config_folder: Path) -> Fit:
    """Return what a run with these settings, whose `resume_from_checkpoint` names the checkpoint, would take from it.

    Raises:
        UserMistake: no run is possible with these settings.
    """
    endpoints = find_endpoints(config, config_folder, NoKeys())
    with read_and_prepare(config, endpoints, config_folder=config_folder) as preparation, open_ledger(preparation) as ledger:
        ledger.record_unusable()
        reuse = Reuser(ledger, preparation.settings).use_checkpoint(checkpoint)
        ledger.conclude_refused()
        finished, unusable = len(ledger.results), len(ledger.roster.errors)
        graded_anew = len({ledger.position_of(asking) for asking in ledger.awaiting_grade()})
        return Fit(
            selected=len(ledger.questions),
            finished=finished - unusable,
            graded_anew=graded_anew,
            to_ask=ledger.open_count - graded_anew,
            asked_again=reuse.asked_again,
            unusable=unusable,
            misfits=[] if reuse.is_any else explain_misfit(checkpoint, preparation.settings),
        )
