"""How far a checkpoint takes a run: what resuming from it would reuse, grade anew and ask. Asks nothing, writes nothing."""

from dataclasses import asdict, dataclass
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import NO_KEY, KeyReader
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.resuming.differences import explain_misfit
from tasks.evaluation.resuming.reuse import Reuser
from tasks.evaluation.run.opening import open_ledger
from tasks.evaluation.run.preparation import find_endpoints, prepare
from tasks.evaluation.storage.checkpoint import Checkpoint


@dataclass(frozen=True)
class Fit:
    """What of a run's selected questions a checkpoint knows.

    `selected` = `finished` + `graded_anew` + `to_ask` + `unusable`. `asked_again` of those `to_ask` had failed in a run of the
    original's. `misfits` are the reasons when nothing fits, else empty.
    """

    selected: int
    finished: int
    graded_anew: int
    to_ask: int
    asked_again: int
    unusable: int
    misfits: list[str]

    def to_json(self) -> JsonObject:
        """The same as JSON."""
        return asdict(self)


class NoKeys(KeyReader):
    """Reads no key, wherever the settings say that one is: nothing is asked, and no id depends on it."""

    def __init__(self) -> None:
        super().__init__({}, lambda _: NO_KEY)

    def read(self, key: str | None, setting: str, base_url: str | None) -> str:  # noqa: ARG002 - as the reader that it stands for
        """No key."""
        return NO_KEY


def measure_fit(checkpoint: Checkpoint, config: Config, config_folder: Path) -> Fit:
    """What a run with these settings, whose `resume_from_checkpoint` names the checkpoint, would take from it.

    Raises:
        UserMistake: no run is possible with these settings.
    """
    endpoints = find_endpoints(config, config_folder, NoKeys())
    with (
        prepare(config, endpoints, own_folder=None, run_id="", notify=lambda _: None) as preparation,
        open_ledger(preparation) as ledger,
    ):
        ledger.record_unusable()
        reuse = Reuser(ledger, preparation.settings).use_checkpoint(checkpoint)
        graded_anew = len(ledger.awaiting_grade())
        return Fit(
            selected=len(ledger.questions),
            finished=reuse.finished,
            graded_anew=graded_anew,
            to_ask=ledger.open_count - graded_anew,
            asked_again=reuse.asked_again,
            unusable=len(ledger.roster.errors),
            misfits=[] if reuse.is_any else explain_misfit(checkpoint, preparation.settings),
        )
