"""Links to the pages of Prefect's UI."""

from urllib.parse import urlsplit

from prefect.settings import get_current_settings
from prefect.utilities.urls import url_for


def find_run_page(run_id: str) -> str:
    """Return the address of the flow run's page, without the name and password that may stand in it; empty without a UI."""
    page = url_for("flow-run", run_id) if run_id and get_current_settings().server.ui.enabled else None
    if not page:
        return ""
    parts = urlsplit(page)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
