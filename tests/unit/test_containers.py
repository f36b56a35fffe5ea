"""The files for containers, which nobody builds here: what they name is there, and what they run can be run."""

import importlib
import importlib.util
import inspect
import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deployments" / "Dockerfile").read_text()


def test_the_image_copies_what_is_there_and_what_is_needed() -> None:
    """Every package, and every file that the build reads."""
    copied = [name for line in re.findall(r"^COPY (.*) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert {"pyproject.toml", "README.md", "LICENSE", "flows", "tasks", "deployments"} == set(copied)
    assert "--constraint /opt/mcqa-flow/deployments/constraints.txt /opt/mcqa-flow\n" in DOCKERFILE
    assert (ROOT / "deployments" / "constraints.txt").exists()


def test_the_image_runs_a_worker_as_nobody_in_particular() -> None:
    """Not as root, on a small base, and with a module of ours."""
    assert re.findall(r"^USER (\w+)", DOCKERFILE, re.MULTILINE) == ["mcqa"]
    assert "useradd --create-home --uid 1000 mcqa" in DOCKERFILE
    [command] = re.findall(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)
    python, _, __, module, *___ = json.loads(command)
    assert (python, importlib.util.find_spec(module) is not None) == ("python", True)
    assert re.search(r"^FROM python:3\.\d+-slim$", DOCKERFILE, re.MULTILINE)


def test_the_deployments_of_containers_start_our_flow() -> None:
    """With parameters that it has, in pools that the file says how to make, and marked as untried."""
    text = (ROOT / "deployments" / "containers.yaml").read_text()
    described: Any = yaml.safe_load(text)
    assert [each["name"] for each in described["deployments"]] == ["evaluate-docker", "evaluate-kubernetes"]
    for deployment in described["deployments"]:
        module, _, name = deployment["entrypoint"].rpartition(".")
        flow = getattr(importlib.import_module(module), name)
        assert deployment["parameters"].keys() <= inspect.signature(flow.fn).parameters.keys()
        assert f"work-pool create --type {deployment['tags'][1]} {deployment['work_pool']['name']}\n" in text
        assert deployment["description"].endswith("Untried.")
