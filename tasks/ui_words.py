"""The words of messages: the command line's flags in a terminal, the form's fields and Retry in Prefect's UI.

Messages are written for the command line. A run of a deployment has no command line: whoever reads its log and its state has a
form and a button.
"""

import re
from collections.abc import Callable

from tasks.evaluation.config.overrides import Overrides
from tasks.flow_runs import belongs_to_deployment

# The settings that flags set, and where it differs from true, to what.
SETTINGS = {
    "--model": "model",
    "--grader": "grader",
    "--model-config": "model_config_file",
    "--no-rag": "no_rag",
    "--parallel": "parallel_workers",
    "--random": "random_selection",
    "--seed": "random_seed",
    "--limit": "limit",
    "--shard": "shard",
    "--temperature": "temperature",
    "--max-tokens": "max_tokens",
    "--prompt": "prompt",
    "--disable-checkpointing": "enable_checkpointing",
    "--checkpoint-interval": "checkpoint_interval",
    "--checkpoint-dir": "checkpoint_directory",
    "--resume-from": "resume_from_checkpoint",
    "--no-auto-resume": "auto_resume",
    "--save-incremental": "save_incremental",
    "--no-progress-bar": "progress_bar",
    "--retry-refused": "retry_refused",
    "--save-incorrect": "save_incorrect",
    "--repeats": "repeats",
    "--fail-under": "fail_under",
    "--fail-under-interval": "fail_under_interval",
    "--junit": "junit",
    "--report": "report",
    "--verbose": "verbose",
    "--max-cost": "max_cost",
    "--max-tokens-total": "max_tokens_total",
    "--max-seconds": "max_seconds",
}
SWITCHED_OFF = ("--disable-checkpointing", "--no-auto-resume", "--no-progress-bar")
FIELDS = {
    "--config": '"Configuration file"',
    **{
        flag: f'"{Overrides.model_fields[name].title}"{": false" if flag in SWITCHED_OFF else ""}'
        for flag, name in SETTINGS.items()
    },
}
PHRASES = {
    "run the same command again to continue": "Retry continues",
    "run the same command again": "press Retry",
    "with the same command": "with Retry",
    "the command line": "the form",
    "on the form": "in the form",
}
FLAG = re.compile(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*(?![\w-])")


def in_ui_words(text: str) -> str:
    """Return the text as the UI's reader needs it; flags of other programs stay."""
    for phrase, words in PHRASES.items():
        text = text.replace(phrase, words)
    return FLAG.sub(lambda flag: FIELDS.get(flag[0], flag[0]), text)


def choose_words() -> Callable[[str], str]:
    """Return what puts messages of the present flow run into the words of the place where they are read."""
    return in_ui_words if belongs_to_deployment() else str
