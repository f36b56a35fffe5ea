"""A deployment that is installed again keeps what was changed in the UI, and recurs if it is to recur."""

import pytest
from pydantic import JsonValue

from flows.serving.kept_parameters import keep_parameters

NIGHTLY: dict[str, JsonValue] = {"config_file": "config.yaml", "auto_resume": False}
EVALUATE: dict[str, JsonValue] = {"config_file": "config.yaml"}


@pytest.mark.parametrize(
    ("installed", "kept"),
    [
        ({"overrides": {"auto_resume": False}}, {"auto_resume": False}),
        ({"overrides": {"auto_resume": False, "limit": 5}}, {"overrides": {"limit": 5}, "auto_resume": False}),
        ({"overrides": {"auto_resume": True}}, {"auto_resume": True}),
        ({"overrides": {"auto_resume": None}}, {"auto_resume": False}),
        ({"overrides": {"limit": 5}}, {"overrides": {"limit": 5}, "auto_resume": False}),
        ({"overrides": None}, {"auto_resume": False}),
        ({}, {"auto_resume": False}),
    ],
)
def test_an_earlier_version_s_deployment_recurs(installed: dict[str, JsonValue], kept: dict[str, JsonValue]) -> None:
    """Also where overrides of its own have already removed what made it recurrent."""
    assert keep_parameters(NIGHTLY, {"config_file": "mine.yaml", **installed}) == {"config_file": "mine.yaml", **kept}


@pytest.mark.parametrize("auto_resume", [True, False, None])
def test_what_was_changed_in_the_ui_stays(auto_resume: bool | None) -> None:
    """As configured is a choice too."""
    installed: dict[str, JsonValue] = {"auto_resume": auto_resume, "overrides": {"limit": 5}}
    assert keep_parameters(NIGHTLY, installed) == installed


def test_other_deployments_stay_as_they_are() -> None:
    """Only one that is to recur is changed."""
    assert keep_parameters(EVALUATE, {"overrides": {"auto_resume": False}}) == {"overrides": {"auto_resume": False}}
