"""Prepares a run: from the settings to a ledger that holds everything known before anything is asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.shards import Shard
from tasks.evaluation.endpoints.described import find_generator, find_judge
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.local_servers.weights import describe_weights
from tasks.evaluation.questions.findings import summarize
from tasks.evaluation.questions.questions import Questions
from tasks.evaluation.questions.selection import Selection
from tasks.evaluation.resuming.differences import describe_settings, explain_change
from tasks.evaluation.resuming.lineage import Lineage, choose_prompt, choose_selection, find_lineage, name_resumed
from tasks.evaluation.retrieval.opening import Source
from tasks.evaluation.run.batches import choose_batch_size, list_shard
from tasks.evaluation.scoring.graders import Grader, choose_grader
from tasks.evaluation.scoring.identity import Identity, IdentitySettings
from tasks.evaluation.scoring.roster import Roster
from tasks.evaluation.spending.pricing import Pricing
from tasks.evaluation.spending.tokens import Role
from tasks.evaluation.storage.provenance import Provenance, SavedSelection

COLD_REPEATS = (
    "⚠️ Each question is asked {repeats} times at temperature 0, which shows hardly any variation: set "
    "generator_settings.temperature to the value that the model is used with"
)


@dataclass(frozen=True)
class Preparation:
    """What a run begins with."""

    config: Config
    """The settings, with the prompt that the run uses."""
    run_id: str
    """The run's permanent id."""
    settings: JsonObject
    """The settings as `describe_settings` returns them."""
    selection: Selection
    """Which of the file's questions the run takes."""
    roster: Roster
    """Those questions with their ids."""
    grader: Grader
    """How their answers are graded."""
    lineage: Lineage
    """The earlier checkpoints that the run may use."""
    own_folder: Path | None
    """The folder for all our files but the checkpoints; None without checkpointing."""
    whole_count: int
    """The number of questions in the whole selection: more than in the roster if the run asks a shard of it."""
    batch_size: int
    """The number of questions in each batch but the last."""
    source: Source | None
    """Where the chunks come from that are put before questions; None without retrieval."""
    pricing: Mapping[Role, Pricing]
    """What the replies of each model cost that is asked."""

    @property
    def private_run_id(self) -> str:
        """Return the id of the only run that may use this run's answers; empty for a run that shares."""
        return self.lineage.private_run_id

    def describe(self, run_name: str = "", reused_count: int = 0, started_at: datetime | None = None) -> Provenance:
        """Return what only our own files record about themselves.

        Args:
            run_name: the run's name for people.
            reused_count: the number of questions that were finished when the run began.
            started_at: when the run began, in local time.
        """
        named = self.lineage.named
        return Provenance(
            evaluation_id=self.roster.evaluation_id,
            private_run_id=self.private_run_id,
            run_id=self.run_id,
            resumed_from=name_resumed(named) if named else "",
            selection=self.describe_selection(),
            settings=self.settings,
            run_name=run_name,
            history_id=self.roster.history_id,
            reused_count=reused_count,
            started_at=started_at.astimezone().isoformat(timespec="seconds") if started_at else "",
        )

    def describe_selection(self) -> SavedSelection:
        """Return the selection as checkpoints hold it; a later run without a seed takes the seed from here."""
        return SavedSelection(
            questions_file=self.config.questions_file,
            file_count=self.roster.questions.file_count,
            selected_count=len(self.roster),
            random_selection=self.selection.random_selection,
            random_seed=self.selection.random_seed,
            limit=self.selection.limit,
            digest=self.roster.questions_digest,
            findings={finding.kind: finding.count for finding in self.roster.questions.findings},
            shard=self.config.processing.shard,
            whole_count=self.whole_count,
            batch_size=self.batch_size,
        )


def find_endpoints(
    config: Config, config_folder: Path, keys: KeyReader, local_urls: Sequence[str] = ()
) -> tuple[Endpoint, Endpoint | None]:
    """Return the generator and the grader; `local_urls` are the addresses of servers that we started.

    Raises:
        UserMistake: one of them is not fully described.
    """
    generator = find_generator(config, keys, local_urls)
    return generator, find_judge(config, config_folder, keys, generator)


def prepare(
    config: Config,
    questions: Questions,
    endpoints: tuple[Endpoint, Endpoint | None],
    *,
    source: Source | None,
    own_folder: Path | None,
    run_id: str,
    notify: Callable[[str], None],
) -> Preparation:
    """Select the questions and identify them; nothing of earlier runs is used yet.

    Args:
        config: the settings.
        questions: all questions of the file.
        endpoints: the generator and the grader.
        source: as `find_source` returns it.
        own_folder: as `make_own_folder` returns it.
        run_id: the run's permanent id. A run with the id of an earlier one continues it, and must be the same evaluation.
        notify: takes what the user should know.

    Raises:
        UserMistake: the questions cannot be used with these settings, or the run was started with others.
    """
    generator, judge = endpoints
    grader, lineage = choose_grader(config, judge), find_lineage(config, run_id, notify)
    retrieval = source.identity if source else None
    config = choose_prompt(config, lineage, describe_settings(config, judge, retrieval), notify)
    described = describe_settings(config, judge, retrieval)
    selection = choose_selection(config, lineage, described)
    _check_questions(config, questions, notify)
    if config.processing.repeats > 1 and generator.request.get("temperature") == 0 and not config.fields.reorders_choices:
        notify(COLD_REPEATS.format(repeats=config.processing.repeats))
    whole = questions.select(selection)
    batch_size = choose_batch_size(len(whole), config.processing)
    roster = Roster(
        _take_shard(whole, batch_size, config, notify),
        _make_identity(config, generator, grader, lineage, retrieval),
        grader,
        repeats=config.processing.repeats,
        reorders=config.fields.reorders_choices,
    )
    pricing = {each.role: each.pricing for each in endpoints if each}
    preparation = Preparation(
        config, run_id, described, selection, roster, grader, lineage, own_folder, len(whole), batch_size, source, pricing
    )
    _require_same_evaluation(preparation)
    return preparation


def _check_questions(config: Config, questions: Questions, notify: Callable[[str], None]) -> None:
    """Tell what is wrong with the file of questions.

    Raises:
        UserMistake: no run can ask it.
    """
    for line in summarize(questions.findings, config.questions_file, questions.notes):
        notify(line)
    if questions.refusal:
        raise UserMistake(questions.refusal)


def require_batch(config: Config, questions: Questions) -> None:
    """Check that the shard that the settings name, if any, has a question.

    Args:
        config: the settings.
        questions: all questions of the file.

    Raises:
        UserMistake: it has none.
    """
    processing = config.processing
    if processing.shard is None:
        return
    limits = (processing.random_selection, processing.limit)
    count = min([questions.file_count, *(limit for limit in limits if limit is not None)])
    shard, batch_size = Shard.read(processing.shard), choose_batch_size(count, processing)
    batch_count = -(-count // batch_size)
    if shard.number >= batch_count:
        raise UserMistake(
            f"shard {shard} has nothing to ask: {count:,} questions are {batch_count:,} batches of {batch_size:,}, enough "
            f"for {batch_count:,} shards. Use fewer shards, or a smaller processing.batch_size in all runs"
        )


def _take_shard(whole: Questions, batch_size: int, config: Config, notify: Callable[[str], None]) -> Questions:
    """Return the questions of the shard that the settings name, and say which these are; without one, all."""
    if config.processing.shard is None:
        return whole
    shard, batch_count = Shard.read(config.processing.shard), -(-len(whole) // batch_size)
    taken = whole.take(list_shard(len(whole), batch_size, shard))
    notify(
        f"🧩 Shard {shard}: {len(taken):,} of {len(whole):,} questions, in {-(-len(taken) // batch_size):,} of {batch_count:,} "
        "batches. The run of the whole finds them and writes the results of all"
    )
    return taken


def _make_identity(
    config: Config, generator: Endpoint, grader: Grader, lineage: Lineage, retrieval: JsonObject | None
) -> Identity:
    settings = IdentitySettings(
        request=generator.request,
        weights=describe_weights(config),
        revision=config.model.generator_settings.revision,
        grader=grader.identity,
        private_run_id=lineage.private_run_id,
        prompt=config.prompt,
        retrieval=retrieval,
    )
    return Identity(settings)


def _require_same_evaluation(preparation: Preparation) -> None:
    """Check that a run that is started again is still the same evaluation.

    Raises:
        UserMistake: its settings or its questions have changed; the message lists each difference with both values.
    """
    own = preparation.lineage.own
    if not own or own[0].evaluation_id == preparation.roster.evaluation_id:
        return
    changes = "; ".join(explain_change(own[0], preparation.settings, preparation.describe_selection()))
    raise UserMistake(
        f"this run cannot be continued, because it was started as another one ({own[0].path}): {changes}. "
        "Undo the change and retry, or start a new run"
    )
