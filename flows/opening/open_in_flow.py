"""Opening an evaluation within its flow run: with the run's name, page and log, and with signs of life while it is open."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from prefect import get_run_logger
from prefect.runtime import flow_run

from flows.opening.abandoned_tasks import end_abandoned_tasks
from flows.opening.hand_over import find_start
from flows.opening.run_tags import tag_run
from flows.opening.secret_blocks import load_secret
from flows.opening.signs_of_life import signs_of_life
from flows.opening.sole_process import sole_process
from flows.process.quiet_logs import quiet_task_runs
from flows.process.shared_process import SharedProcess, find_shared
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.loading import find_config_file, load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.endpoints.endpoint import list_key_warnings
from tasks.evaluation.endpoints.proxies import bypass_proxies
from tasks.evaluation.reporting.progress import Progress
from tasks.evaluation.run.budgets import open_budget
from tasks.evaluation.run.factories import Factories
from tasks.evaluation.run.opening import open_run
from tasks.evaluation.run.run import Run
from tasks.evaluation.storage.locks import Holder
from tasks.flow_runs import belongs_to_deployment
from tasks.run_pages import find_run_page
from tasks.ui_words import choose_words


@contextmanager
def open_in_flow(config_file: str | None, overrides: Overrides) -> Iterator[Run]:
    """Open the evaluation that the settings describe, as the present flow run; at the end it is closed.

    Raises:
        EvaluationError: it cannot begin, or paid answers could no longer be kept.
    """
    bypass_proxies(os.environ)
    config_file = find_config_file(config_file)
    start = find_start()
    config = start.config if start else load_config(config_file, overrides)
    run_id, keys = str(flow_run.id), KeyReader(os.environ, load_secret)
    logger, words, shared = get_run_logger(), choose_words(), find_shared()
    factories = _make_factories(shared) if shared else Factories()
    source = config_file or "the parameters alone"
    logger.info("Settings from %s, in %s on %s", source, Path.cwd(), socket.gethostname())
    with (
        quiet_task_runs(is_quiet=not config.processing.verbose),
        sole_process(config, run_id, logger.info),
        signs_of_life(),
        end_abandoned_tasks(),
        open_run(
            config,
            config_file=config_file,
            run_id=run_id,
            keys=keys,
            log=lambda level, line: logger.log(level, words(line)),
            factories=factories,
            start=start,
            holder=Holder(flow_run.name or "", find_run_page(run_id)),
        ) as run,
    ):
        run.metadata.name, run.is_shown = flow_run.name or "", belongs_to_deployment()
        tag_run(config)
        for warning in list_key_warnings(run.addresses, found_plain=keys.found_plain):
            run.progress.notify(warning)
        yield run


def _make_factories(shared: SharedProcess) -> Factories:
    """Return what makes the parts of a run that it has in common with those beside it."""
    factories, budget = Factories(make_progress=partial(Progress, name=shared.name)), shared.budget
    return replace(factories, open_budget=partial(open_budget, common=budget)) if budget else factories
