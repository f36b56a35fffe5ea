"""An evaluation while it runs: the ledger, the scorer and the saver together, for the flow and its tasks."""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.evaluation.config.addresses import WeightedUrl
from tasks.evaluation.config.config import Config
from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.event_loop import EventLoopThread
from tasks.evaluation.endpoints.following import Following
from tasks.evaluation.endpoints.outage import Waiting
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.endpoints.preflight import check_endpoint
from tasks.evaluation.endpoints.slots import Slots
from tasks.evaluation.endpoints.traffic import Traffic
from tasks.evaluation.errors import EvaluationError, StorageFailure, UnfinishedBatch
from tasks.evaluation.history.against import Standing
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.reporting.progress import Progress
from tasks.evaluation.retrieval.retriever import Retriever
from tasks.evaluation.run.batches import Batch, Batches
from tasks.evaluation.run.budgets import find_largest, find_recorded
from tasks.evaluation.run.context_batches import ContextBatches
from tasks.evaluation.run.factories import Factories
from tasks.evaluation.run.metadata import Metadata
from tasks.evaluation.run.preparation import Preparation
from tasks.evaluation.run.saving import Saver
from tasks.evaluation.scoring.journal import Journal
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.scoring.scorer import Scorer
from tasks.evaluation.spending.costs import CostSum
from tasks.evaluation.spending.tokens import Role, TokenSum


class Run:
    """An open evaluation.

    Args:
        preparation: what is known at its beginning.
        ledger: what is known of its questions.
        endpoints: the generator and the grader, as they are asked now.
        config_file: the configuration's path, for the records; None if the settings came from flags alone.
        loop: the event loop on which the questions are asked.
        progress: what the user sees.
        factories: make its clients and its times.

    `workers` is the number of questions that it keeps in flight, `configured_workers` what the settings say it is, `batches`
    cuts its questions, `saver` writes its checkpoints, and `metadata` describes it for its files. `context_batches` retrieves
    what is put before its questions; None without retrieval, and until `use_retriever` is called. `standing` is how it stands
    beside earlier runs of the same evaluation; None until its results are written, and where that cannot be told. `is_shown` is
    true if people look at its results in a browser. `followings` keep the addresses of the models that have a list of them.
    `budget` is what it may spend; None: anything.
    """

    def __init__(
        self,
        preparation: Preparation,
        ledger: Ledger,
        endpoints: tuple[Endpoint, Endpoint | None],
        *,
        config_file: str | None,
        loop: EventLoopThread,
        progress: Progress,
        factories: Factories,
    ) -> None:
        self.config: Config = preparation.config
        self.ledger = ledger
        self.progress = progress
        self.endpoints = endpoints
        self.preparation = preparation
        self.factories = factories
        self.context_batches: ContextBatches | None = None
        self.standing: Standing | None = None
        self.is_shown = False
        self._loop = loop
        self._retriever: Retriever | None = None
        processing = self.config.processing
        generator, grader = endpoints
        self.workers = self.configured_workers = processing.count_workers(1)
        self._slots = Slots(self.workers)
        self.followings: list[Following] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._encoder: Client | None = None
        self.budget = factories.open_budget(preparation, ledger)
        has_scores = bool(np.isfinite(self.ledger.sheet.scores).any())
        self._generator = self._make_client(generator, is_proven=has_scores or len(self.ledger.answers) > 0)
        self._grader = self._make_client(grader, is_proven=has_scores) if grader else None
        self.note_addresses(len(self._generator.addresses))
        self._scorer = Scorer(
            self.ledger,
            Journal(self.ledger, waits_for_sync=processing.save_incremental),
            preparation.grader,
            self._generator,
            self._grader,
            slots=self._slots,
            prompt=self.config.prompt,
            budget=self.budget,
        )
        self.batches = Batches(self.ledger, self.config.processing, preparation.batch_size)
        self.metadata = Metadata(
            preparation, self.ledger, lambda: (self.paid, self.cost), config_file=config_file, started_at=factories.now()
        )
        self.saver = Saver(self.ledger, self.config, self.metadata.describe, progress.notify, factories.now)

    @property
    def stop_cause(self) -> EvaluationError | None:
        """Return why nothing more is asked; None while the run goes on."""
        return self._scorer.stop_cause

    @property
    def waiting(self) -> Waiting | None:
        """Return the wait for an endpoint that gives no replies; None while both give some. May be read in any thread."""
        return self._generator.waiting or (self._grader.waiting if self._grader else None)

    @property
    def paid(self) -> dict[Role, TokenSum]:
        """Return the tokens of all replies to this run, including those that could not be used."""
        encoder: dict[Role, TokenSum] = {"encoder": self._encoder.bill.tokens} if self._encoder else {}
        grader = self._grader.bill.tokens if self._grader else TokenSum()
        return {"generator": self._generator.bill.tokens, "grader": grader, **encoder}

    @property
    def cost(self) -> dict[Role, CostSum]:
        """Return what these replies have cost."""
        clients = (self._generator, self._grader, self._encoder)
        return {client.endpoint.role: client.bill.cost for client in clients if client}

    @property
    def addresses(self) -> list[Endpoint]:
        """Return the endpoints, each at each of its addresses."""
        return [address.endpoint for client in (self._generator, self._grader) if client for address in client.addresses]

    @property
    def traffic(self) -> list[Traffic]:
        """Return what was sent to each address, where a model has several."""
        fleets = [client.fleet for client in (self._generator, self._grader) if client and client.fleet]
        return [each for fleet in fleets for each in fleet.traffic.values()]

    def score(self, batch: Batch) -> JsonObject:
        """Score the batch's unfinished questions; return the records of all its questions, with their digest.

        Raises:
            UnfinishedBatch: some are unscored; the others are kept.
        """
        positions = list(self.ledger.open_positions(batch.positions))
        failures = self._loop.run(self._scorer.score_positions(positions))
        if failures:
            raise UnfinishedBatch({position: str(failure) for position, failure in failures.items()})
        return self.batches.collect(batch)

    def check_endpoints(self) -> None:
        """Check before the first question that the endpoints that are needed can be asked.

        Raises:
            UserMistake: nothing answers at the address of one, or it does not accept its key.
        """
        open_count, known_count = self.ledger.open_asking_count, len(self.ledger.awaiting_grade())
        needed = [self._generator] if open_count > known_count else []
        needed += [self._grader] if self._grader and open_count else []
        for client in needed:
            self._loop.run(self._check_endpoint(client))

    def use_retriever(self, retriever: Retriever) -> None:
        """Retrieve with it what is put before questions."""
        contexts, source = self.ledger.contexts, self.preparation.source
        assert contexts is not None
        assert source is not None
        self._retriever = retriever
        self.context_batches = ContextBatches(self.ledger, contexts, retriever, source.identity)

    def make_encoder(self, endpoint: Endpoint, patience: Patience, **options: Any) -> Client:
        """Make the client of a retriever's encoder, which spends from the same budget."""
        self._encoder = self.factories.make_client(endpoint, patience, budget=self.budget, **options)
        return self._encoder

    def set_workers(self, count: int) -> None:
        """Keep this many questions in flight from now on; those that are more get their answers first."""
        self.workers = count
        self._loop.call(lambda: self._slots.resize(count))

    def replace_addresses(self, following: Following, others: Sequence[WeightedUrl] | None, source: str) -> None:
        """Ask at these addresses from now on, as `Following.replace` does; raises `Stopped` if the run has ended."""
        self._loop.run(following.replace(others, source))

    def note_addresses(self, addresses: int) -> None:
        """Keep as many questions in flight as is configured for this many addresses, unless another number was set."""
        configured = self.config.processing.count_workers(max(addresses, 1))
        if self.workers == self.configured_workers:
            self.set_workers(configured)
        self.configured_workers = configured

    def stop(self, cause: EvaluationError) -> None:
        """Ask nothing more; answers in flight have a few seconds to arrive."""
        if self._retriever:
            self._retriever.stop(cause)
        self._loop.call(lambda: self._scorer.stop(cause))

    def check_storage(self) -> None:
        """Stop the run if answers cannot be kept any more, the next checkpoint has no space, or the corpus has changed."""
        if self.stop_cause is not None:
            return
        if overtime := self.budget and self.budget.find_overtime():
            self.stop(overtime)
        source = self.preparation.source
        changed = source.corpus.find_changed_file() if source else None
        if changed:
            self.stop(EvaluationError(f"the corpus file {changed} has changed while it was used: run the same command again"))
        elif failure := self.saver.find_failure():
            self.stop(failure)

    async def close_clients(self) -> None:
        """Close the connections, on the loop, and the budget."""
        if self.budget:
            is_all_kept = not isinstance(self.stop_cause, StorageFailure)
            self.budget.close(find_recorded(self.preparation.pricing, self.ledger) if is_all_kept else None)
        await self._generator.close()
        if self._grader:
            await self._grader.close()

    async def _check_endpoint(self, client: Client) -> None:
        notify = self.progress.notify
        await check_endpoint(client, notify)
        if client.fleet:
            take_count = self.note_addresses if client is self._generator else lambda _: None
            self.followings.append(Following(client, client.fleet, notify, take_count))
            self._tasks.append(asyncio.create_task(self.followings[-1].follow_file()))

    def _make_client(self, endpoint: Endpoint, *, is_proven: bool) -> Client:
        processing = self.config.processing
        patience = Patience(processing.request_timeout_seconds, processing.max_outage_seconds)
        client = self.factories.make_client(
            endpoint,
            patience,
            is_proven=is_proven,
            slots=self._slots,
            notify=self.progress.notify,
            most_each=processing.parallel_per_server,
            budget=self.budget,
        )
        if self.budget:
            client.bill.expect(find_largest(self.ledger, endpoint.role))
        return client
