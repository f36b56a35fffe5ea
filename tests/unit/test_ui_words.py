"""A message is written for the command line, and read in Prefect's UI in the words of its form."""

import pytest

from flows.commands.cli import build_parser
from tasks.evaluation.config.overrides import Overrides
from tasks.ui_words import FIELDS, SETTINGS, in_ui_words


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("ask again with --retry-refused", 'ask again with "Retry refused"'),
        (
            "start over with --no-auto-resume and without --resume-from",
            'start over with "Auto-resume": false and without "Resume from"',
        ),
        ("make room, then run the same command again", "make room, then press Retry"),
        ("What has arrived is kept: run the same command again to continue", "What has arrived is kept: Retry continues"),
        ("go on without them with the same command", "go on without them with Retry"),
        ("give the file on the command line", "give the file in the form"),
        ("no more than its --max-logprobs; --- and x--model stay", "no more than its --max-logprobs; --- and x--model stay"),
    ],
)
def test_flags_become_fields(message: str, words: str) -> None:
    """Flags of other programs stay."""
    assert in_ui_words(message) == words


def test_every_flag_of_a_setting_is_known() -> None:
    """And each sets what the command line sets with it."""
    [score] = [action.choices["score"] for action in build_parser()._actions if isinstance(action.choices, dict)]
    flags = {
        flag: action.dest
        for action in score._actions
        for flag in action.option_strings
        if action.dest in Overrides.model_fields
    }
    assert flags == SETTINGS
    assert set(flags) < set(FIELDS)
