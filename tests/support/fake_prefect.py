"""A stand-in for Prefect's server: it keeps flow runs and their events, and fails as a test says."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from uuid import UUID, uuid4

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


class FakePrefect:
    """The server; `fails` decides by the path of a request and how often it came before whether it is answered with 500."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.signs: dict[str, UUID] = {}
        self.fails: Callable[[str, int], bool] = lambda _, __: False
        self.asked = Counter[str]()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(self))
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def client(self) -> Iterator[SyncPrefectClient]:
        """Yield a client that asks this server, and never a second time by itself."""
        url = f"http://127.0.0.1:{self._server.server_port}/api"
        with temporary_settings({PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}), get_client(sync_client=True) as client:
            yield client

    def add(self, key: str | None, kind: str, message: str = "", **more: object) -> UUID:
        """Keep a run with this idempotency key in a state of this type; return its id.

        Args:
            key: begins with the id of the flow run that has started it.
            kind: the state's type.
            message: the state's message.
            more: what else is known of the run.
        """
        run_id = uuid4()
        self.runs[str(run_id)] = {
            "id": str(run_id),
            "flow_id": str(uuid4()),
            "name": "a run",
            "idempotency_key": key,
            "state": make_state({"type": kind, "message": message}),
            **more,
        }
        return run_id

    def state(self, run_id: UUID) -> tuple[str, str]:
        """Return the type of the run's state, and its message."""
        state = self.runs[str(run_id)]["state"]
        return state["type"], state["message"] or ""

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, object]:
        """Return the status and the body of the reply to a request."""
        self.asked[path] += 1
        if self.fails(path, self.asked[path]):
            return 500, {"detail": "out of order"}
        kind, name, *verb = [*path.removeprefix("/api/").split("/"), ""]
        if (kind, name) == ("events", "filter"):
            return 200, self._find_signs(body["filter"])
        if (kind, name) == ("flow_runs", "filter"):
            return 200, [run for run in self.runs.values() if is_wanted(run, body["flow_runs"])]
        if kind != "flow_runs":
            return 404, {"detail": "not found"}
        return 200, self._change(self.runs[name], verb, body) if any(verb) else self.runs[name]

    def _change(self, run: dict[str, Any], verb: list[str], body: dict[str, Any]) -> object:
        if "resume" in verb:
            return self._set(run, {"type": "SCHEDULED", "name": "Resuming"}, is_forced=True)
        return self._set(run, body["state"], is_forced=body["force"])

    def _set(self, run: dict[str, Any], state: dict[str, Any], *, is_forced: bool) -> object:
        """Do as Prefect does: an end is final, and a sub-flow is not paused, unless that is forced."""
        if not is_forced and (run["state"]["type"] in ENDED or state["type"] == "PAUSED"):
            return {"state": None, "status": "ABORT", "details": {"type": "abort_details", "reason": "not possible"}}
        run["state"] = make_state(state)
        return {"state": run["state"], "status": "ACCEPT", "details": {"type": "accept_details"}}

    def _find_signs(self, wanted: dict[str, Any]) -> object:
        resource = wanted["resource"]["id"][0]
        sign = self.signs.get(resource.removeprefix("prefect.flow-run."))
        now = datetime.now(UTC)
        is_within = wanted["occurred"]["since"] < now.isoformat() < wanted["occurred"]["until"]
        event = {
            "id": str(sign),
            "event": wanted["event"]["name"][0],
            "occurred": now.isoformat(),
            "received": now.isoformat(),
            "resource": {"prefect.resource.id": resource},
        }
        return {"events": [event] if sign and is_within else [], "total": 1, "next_page": None}


def is_wanted(run: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Return True if the filter finds the run: by its id, its parent, its tags or its state."""
    ids, parents, tags = (wanted.get(name) or {} for name in ("id", "parent_flow_run_id", "tags"))
    types = ((wanted.get("state") or {}).get("type") or {}).get("any_")
    return (
        run["id"] in (ids.get("any_") or [run["id"]])
        and (not parents or (run["idempotency_key"] or "").startswith(tuple(parents["any_"])))
        and {*(tags.get("all_") or [])} <= {*run.get("tags", [])}
        and run["state"]["type"] in (types or [run["state"]["type"]])
    )


def make_state(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state as the server keeps it."""
    kept = {name: state.get(name) for name in ("type", "name", "message", "state_details") if state.get(name)}
    return {"id": str(uuid4()), "timestamp": datetime.now(UTC).isoformat(), "message": None, **kept}


def _make_handler(server: FakePrefect) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
            status, reply = server.answer(self.path.split("?")[0], body)
            content = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    return Handler
