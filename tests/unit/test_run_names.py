"""Names of flow runs: what somebody typed is kept, what Prefect made up is replaced."""

import pytest

from flows.opening.made_up_names import is_made_up
from flows.opening.run_names import describe


@pytest.mark.parametrize(
    "name",
    [
        "nightly-check",
        "mistral-baseline",
        "exam fake 2026-11-27 02:00",
        "Night-Check",
        "Tasty",
        "otter",
        "placid-otter-2",
        "release",
        "alpha-test",
        "phi3-baseline",
        "phi4-mini-q",
        "mini-baseline",
        "otter-placid",
        "Small-Test",
        "Generic-Run",
        "",
    ],
)
def test_a_typed_name_is_known(name: str) -> None:
    """Also two words with a dash, in which people like to name things."""
    assert not is_made_up(name)


@pytest.mark.parametrize(
    "name",
    ["placid-otter", "golden-lynx", "Tasty-Crab", "Handcrafted-Bear", "gamma3-vega-q", "mu-canis-majoris", "phi4-sirius-ring"],
)
def test_a_made_up_name_is_known(name: str) -> None:
    """Those of the server, and of the form in both versions of the UI."""
    assert is_made_up(name)


def test_every_name_that_prefect_itself_makes_up_is_known() -> None:
    """Those of the installed version."""
    from prefect.utilities.names import generate_slug

    assert [name for name in (generate_slug(2) for _ in range(2000)) if not is_made_up(name)] == []


def test_settings_that_cannot_be_read_are_named_by_their_file() -> None:
    """The run then ends with the reason."""
    assert describe("none.yaml", {}, {}) == "score none.yaml"
    assert describe(None, {"limit": 0}, {}) == "score questions"
