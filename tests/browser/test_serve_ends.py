"""What `mcqa serve` leaves behind, however it ends: nothing."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.served import Served, find_descendants, find_free_port, is_alive, start_serve, wait_until

# What is left of deployments.yaml.
LEFT = "deployments: [{name: weekly, parameters: {config_file: offered.yaml}}]\n"


def test_a_kill_leaves_no_process(served: Served) -> None:
    """SIGKILL of the command beside a server that runs already: its worker ends too, the server goes on; no `ps` is needed."""
    environment = {**served.environment, "PATH": str(served.folder)}
    process, log = start_serve(served.folder, environment, "--server", f"{served.url}/api")
    started = find_descendants(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert started
    wait_until(lambda: not any(is_alive(pid) for pid in started))
    assert "Starting Prefect's server" not in log.read_text()
    assert served.call("GET", "health") is True


def test_a_taken_port_is_a_mistake(served: Served) -> None:
    """The message says what to do where the other is a Prefect server."""
    port = served.url.rpartition(":")[2]
    command = [str(Path(sys.executable).with_name("mcqa")), "serve", "--port", port]
    ended = subprocess.run(command, env=served.environment, capture_output=True, text=True, timeout=150, check=False)
    assert ended.returncode == 2
    assert f"--server {served.url}/api" in ended.stderr


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["::", "::1"])
def test_the_ui_is_served_over_ipv6(served: Served, host: str) -> None:
    """To all, or on the loopback; the second finds the first one's database, since making one takes long."""
    environment = {**served.environment, "PREFECT_HOME": str(served.folder / "home of its own")}
    process, log = start_serve(served.folder, environment, "--host", host, "--port", str(find_free_port()))
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=150) == 0
    assert "Prefect's UI: http://[::1]:" in log.read_text()


def test_a_host_that_is_none_is_a_mistake(served: Served) -> None:
    """The message says which."""
    command = [str(Path(sys.executable).with_name("mcqa")), "serve", "--host", "1.2.3.4.5", "--port", str(find_free_port())]
    ended = subprocess.run(command, env=served.environment, capture_output=True, text=True, timeout=150, check=False)
    assert ended.returncode == 2
    assert "nothing can be served on 1.2.3.4.5:" in ended.stderr


def test_a_server_that_does_not_answer_is_a_mistake(served: Served) -> None:
    """Nothing is started."""
    command = [str(Path(sys.executable).with_name("mcqa")), "serve", "--server", "http://127.0.0.1:9/api"]
    ended = subprocess.run(command, env=served.environment, capture_output=True, text=True, timeout=150, check=False)
    assert ended.returncode == 2
    assert "no Prefect server can be used at http://127.0.0.1:9/api" in ended.stderr


def test_the_next_start_replaces_what_is_of_yesterday(served: Served) -> None:
    """What an earlier version has installed: an automation that would act beside the present one, and on paused runs too, and
    parameters that a schedule can erase. What deployments.yaml no longer says: deployments, schedules, parameters.
    """
    names = list_automations(served)
    nightly = f"deployments/{served.deployment('nightly')['id']}"
    former_parameters = {"config_file": "mine.yaml", "overrides": {"auto_resume": False, "limit": 7}}
    served.call("PATCH", nightly, {"parameters": former_parameters})
    [present, *_] = served.call("POST", "automations/filter", {})
    former = {key: present[key] for key in ("description", "enabled", "trigger", "actions")}
    served.call("POST", "automations/", {**former, "name": "Mark silent evaluations as crashed"})
    (served.folder / "deployments.yaml").write_text(LEFT)
    process, log = start_serve(served.folder, served.environment, "--server", f"{served.url}/api")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=150) == 0
    assert list_automations(served) == names
    assert "Removed the deployment retired, which deployments.yaml no longer names\n" in log.read_text()
    assert served.refusal("retired").startswith("404")
    assert served.deployment("weekly")["parameters"] == {"config_file": "offered.yaml"}
    assert served.deployment("weekly")["schedules"] == []
    kept = {"config_file": "mine.yaml", "overrides": {"limit": 7}, "auto_resume": False}
    assert served.deployment("nightly")["parameters"] == kept
    served.call("PATCH", nightly, {"parameters": {"config_file": "config.yaml", "auto_resume": False}})


def list_automations(served: Served) -> list[str]:
    return sorted(automation["name"] for automation in served.call("POST", "automations/filter", {}))
