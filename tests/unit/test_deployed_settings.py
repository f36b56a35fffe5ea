"""What the report says of a run's settings: which its deployment has set, and which are different in this run."""

import pytest
from pydantic import JsonValue

from flows.opening.deployed_settings import read_settings, tell_apart

NIGHTLY: dict[str, JsonValue] = {
    "config_file": "exam.yaml",
    "overrides": {"limit": 500, "temperature": 0.7},
    "auto_resume": False,
}


def test_a_run_as_its_deployment_describes_it_differs_in_nothing() -> None:
    """What the deployment itself sets is not what this run does differently."""
    own = {"config_file": "exam.yaml", "limit": 500, "temperature": 0.7, "auto_resume": False}
    assert tell_apart(own, NIGHTLY) == {
        "Set by the deployment": {"limit": 500, "temperature": 0.7, "auto_resume": False},
        "Different from the deployment": {},
    }


def test_what_was_changed_added_and_emptied_is_different() -> None:
    """Also the file; what was emptied in the form is taken from the file."""
    own = {"config_file": "other.yaml", "limit": 20, "auto_resume": False, "repeats": 3}
    assert tell_apart(own, NIGHTLY) == {
        "Set by the deployment": {"auto_resume": False},
        "Different from the deployment": {
            "config_file": "other.yaml",
            "limit": 20,
            "temperature": "as in the file",
            "repeats": 3,
        },
    }


def test_a_setting_counts_wherever_it_stands() -> None:
    """The second box holds over the first, the parameter beside both over each."""
    parameters: dict[str, JsonValue] = {
        "overrides": {"parallel_workers": 4, "auto_resume": True},
        "advanced": {"parallel_workers": 8},
        "auto_resume": False,
    }
    assert read_settings(parameters) == {"config_file": None, "parallel_workers": 8, "auto_resume": False}


@pytest.mark.parametrize("recurrence", [None, "as configured"])
def test_a_recurrence_that_is_left_open_is_no_setting(recurrence: JsonValue) -> None:
    """The file decides."""
    assert read_settings({"config_file": "exam.yaml", "auto_resume": recurrence}) == {"config_file": "exam.yaml"}


def test_parameters_that_no_run_could_use_set_nothing() -> None:
    """They were changed after this run was created."""
    assert read_settings({"overrides": {"limit": "many"}}) == {}
