"""The settings `vllm_args` as `vllm serve` takes them: command-line options, and secrets in its environment."""

import json
import os
from collections.abc import Mapping
from typing import NoReturn

from pydantic import JsonValue

from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.secrets import is_command
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject

# These change vLLM's speed and memory but no answer, so they are not part of an answer's identity.
SPEED_ARGUMENTS = frozenset({
    "data_parallel_size", "disable_log_requests", "disable_log_stats", "enable_chunked_prefill", "enable_prefix_caching",
    "gpu_memory_utilization", "max_num_batched_tokens", "max_num_seqs", "num_gpu_blocks_override", "pipeline_parallel_size",
    "swap_space", "tensor_parallel_size", "uvicorn_log_level",
})  # fmt: skip
# These vLLM can also read from its environment: its command line is visible to all users of the machine, and in its log.
SECRET_ARGUMENTS = {"api_key": "VLLM_API_KEY", "hf_token": "HF_TOKEN"}


def list_options(arguments: Mapping[str, JsonValue]) -> list[str]:
    """Return the words of the command line: `--name value`; `--name` alone for true, nothing for false and null."""
    return [word for name, value in arguments.items() if not _variable_of(name) for word in _make_option(name, value)]


def find_secrets(arguments: Mapping[str, JsonValue]) -> dict[str, str]:
    """Return the variables for its environment; of several keys, the first. A value may name a variable of ours: `${NAME}`.

    Raises:
        UserMistake: there is no such variable.
    """
    keys = KeyReader(os.environ, _refuse_block)
    secrets: dict[str, str] = {}
    for name, value in arguments.items():
        variable, first = _variable_of(name), value[0] if isinstance(value, list) and value else value
        if variable and is_command(str(first)):
            raise UserMistake(f"vllm_args.{name} takes no command, whose key would be the server's for good: write ${{NAME}}")
        if variable and first:
            secrets[variable] = keys.read(str(first), f"model.generator_settings.vllm_args.{name}", None)
    return secrets


def list_deciding_arguments(arguments: Mapping[str, JsonValue]) -> JsonObject:
    """Return the arguments that can change an answer."""
    return {name: value for name, value in arguments.items() if name not in SPEED_ARGUMENTS and not _variable_of(name)}


def _variable_of(name: str) -> str | None:
    return SECRET_ARGUMENTS.get(name.replace("-", "_"))


def _make_option(name: str, value: JsonValue) -> list[str]:
    option = "--" + name.replace("_", "-")
    if value is None or isinstance(value, bool):
        return [option] if value else []
    return [option, value if isinstance(value, str) else json.dumps(value)]


def _refuse_block(_: str) -> NoReturn:
    raise UserMistake("vllm_args take no Prefect Secret block, the server starts before Prefect is there: write ${NAME}")
