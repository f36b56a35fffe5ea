"""Links to the pages of Prefect's UI."""

from urllib.parse import urlsplit

from prefect.runtime import flow_run
from prefect.settings import get_current_settings
from prefect.utilities.urls import url_for


def find_run_page() -> str:
    """Return the address of this run's page, without the name and password that may stand in it; empty without a UI."""
    page = url_for("flow-run", flow_run.id) if get_current_settings().server.ui.enabled else None
    if not page:
        return ""
    parts = urlsplit(page)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
