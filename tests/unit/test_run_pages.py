"""Links to runs in Prefect's UI."""

from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_UI_ENABLED, PREFECT_UI_URL, temporary_settings

from tasks.run_pages import find_run_page

ID = "0198a2f4-0000-7000-8000-000000000001"


def test_a_password_in_the_servers_address_stays_there() -> None:
    """The link reaches events, artifacts and webhooks."""
    with temporary_settings({PREFECT_API_URL: "http://me:secret@prefect.example:4200/api"}, restore_defaults={PREFECT_UI_URL}):
        assert find_run_page(ID) == f"http://prefect.example:4200/runs/flow-run/{ID}"


def test_there_is_no_link_without_a_ui_or_a_run() -> None:
    """An empty text, which nobody can follow."""
    with temporary_settings({PREFECT_API_URL: "http://prefect.example/api", PREFECT_SERVER_UI_ENABLED: False}):
        assert find_run_page(ID) == ""
    assert find_run_page("") == ""
