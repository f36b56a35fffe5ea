"""`mcqa suite`: its flags, and its start, in which Prefect's server begins as early as for `mcqa score`."""

import argparse
import os
import signal

from flows.commands.arguments import add_caps, read_input_path, read_path, read_text
from flows.process.end_signals import exit_on_signal, install_handlers
from flows.process.terminal import print_line
from flows.serving.temporary_server import is_probably_needed, start_server
from tasks.evaluation.errors import UserMistake


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `suite`."""
    add = parser.add_argument
    add("suite_file", nargs="?", type=read_input_path, metavar="SUITE", help="the YAML file of models, questions, conditions")
    add("--dry-run", action="store_true", help="say for each cell what would be asked and what is known, and ask nothing")
    add_caps(parser)
    add(
        "--fail-if-worse",
        type=read_text,
        metavar="BASELINE",
        help="exit with code 3 if a cell is worse than this model, model/condition or file",
    )
    add("--from-configs", type=read_path, metavar="DIR", help="make a suite file of a folder of configurations")
    add("-o", "--output", type=read_path, metavar="FILE", help="write that suite file to FILE")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the suite, show its plan, or make a suite file; return the exit code.

    Raises:
        UserMistake: something the user gave is wrong; nothing was asked.
    """
    if options.from_configs:
        return _make_file(options)
    if not options.suite_file:
        raise UserMistake("no suite file is named: mcqa suite SUITE.yaml, or --from-configs DIR to make one")
    if options.output:
        raise UserMistake("--output is for --from-configs: the settings of its cells say what a suite writes")
    install_handlers(exit_on_signal, (signal.SIGTERM, signal.SIGHUP))
    server = start_server(print_line) if not options.dry_run and is_probably_needed(os.environ) else None
    from flows.commands import suite_plan  # noqa: PLC0415 - imports what takes long

    caps = {name: value for name, value in vars(options).items() if name.startswith("max_")}
    if options.dry_run:
        return suite_plan.show_plan(options.suite_file, caps)
    return suite_plan.run_cells(options.suite_file, caps, options.fail_if_worse, server)


def _make_file(options: argparse.Namespace) -> int:
    if options.suite_file or options.dry_run:
        raise UserMistake("--from-configs makes a suite file and runs nothing: give neither a suite file nor --dry-run with it")
    from flows.commands.suite_making import make_suite_file  # noqa: PLC0415 - not needed to run one

    return make_suite_file(options.from_configs, options.output)
