"""The commands for the model servers that a run can start itself: llama.cpp's and vLLM."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.generator_settings import GeneratorSettings
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.local_servers.devices import VISIBLE_DEVICES, name_devices, share_devices
from tasks.evaluation.local_servers.vllm_arguments import find_secrets, list_options
from tasks.evaluation.local_servers.weights import find_weights

MOST_SLOTS = 8
INSTALL_SERVER = "pip install 'xllamacpp>=2026.10'"
LAST_PORT = 65_535


@dataclass(frozen=True)
class ServerCommand:
    """How a server is started."""

    name: str
    """Its name in messages and in its log's file name."""
    arguments: Callable[[int], list[str]]
    """Returns the command line for a port."""
    host: str
    """The address on which it serves."""
    port: int | None
    """Its port; None: any free one."""
    startup_seconds: float
    """How long it may take until it answers."""
    advice: str
    """What to try if it does not start."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables for its environment, among them secrets."""


def find_commands(config: Config) -> list[ServerCommand]:
    """Return the commands of the servers that the settings ask for; none if they name such that are already running.

    Raises:
        UserMistake: a package, an executable or the weights are missing, and the message says how to install them; or there
            are too few GPUs or ports.
    """
    settings = config.model.generator_settings
    if config.model.generator.generator_type == "llamacpp":
        return [_llamacpp_command(settings, min(config.processing.parallel_workers, MOST_SLOTS))]
    return _vllm_commands(settings) if settings.boot_local else []


def _llamacpp_command(settings: GeneratorSettings, slots: int) -> ServerCommand:
    if importlib.util.find_spec("xllamacpp") is None:
        raise UserMistake(f"a llamacpp generator needs llama.cpp's server: {INSTALL_SERVER}")
    weights = str(find_weights(settings.model))
    start = [sys.executable, "-P", "-m", "tasks.evaluation.local_servers.llamacpp_server", weights, settings.model]
    return ServerCommand(
        name="llama.cpp",
        arguments=lambda port: [*start, str(port), str(slots)],
        host="127.0.0.1",
        port=None,
        startup_seconds=settings.server_startup_timeout,
        advice="Is the file a GGUF that fits into the memory?",
    )


def _vllm_commands(settings: GeneratorSettings) -> list[ServerCommand]:
    executable = shutil.which("vllm")
    if executable is None:
        raise UserMistake("model.generator_settings.boot_local: vLLM is not installed here: pip install vllm")
    start = [executable, "serve", settings.hf_model_id or settings.model, "--served-model-name", settings.model]
    options = list_options(settings.vllm_args)
    alone = ServerCommand(
        name="vLLM",
        arguments=lambda port: [*start, "--host", settings.local_host, "--port", str(port), *options],
        host=settings.local_host,
        port=None if settings.auto_port else settings.port or 8000,
        startup_seconds=settings.server_startup_timeout,
        advice="Out of memory: lower gpu_memory_utilization or max_model_len in vllm_args. Slow: raise server_startup_timeout.",
        variables=find_secrets(settings.vllm_args),
    )
    return _replicate(alone, settings) if settings.data_parallel_size > 1 else [alone]


def _replicate(alone: ServerCommand, settings: GeneratorSettings) -> list[ServerCommand]:
    """Return the same command for each server, with GPUs and a port of its own."""
    count = settings.data_parallel_size
    if alone.port and alone.port + count - 1 > LAST_PORT:
        raise UserMistake(
            f"model.generator_settings.port: {count} servers take the ports from {alone.port} on: set a lower one"
        )
    return [
        replace(
            alone,
            name=f"{alone.name} on {name_devices(devices)}",
            port=alone.port and alone.port + number,
            advice=f"{alone.advice} To leave out a GPU: set {VISIBLE_DEVICES} to the others.",
            variables={**alone.variables, VISIBLE_DEVICES: ",".join(devices)},
        )
        for number, devices in enumerate(share_devices(count, settings.vllm_args, os.environ.get(VISIBLE_DEVICES)))
    ]
