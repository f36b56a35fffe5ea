"""The GPUs of several servers on one machine: each gets as many as it needs, and none gets another's."""

import math
import re
from collections.abc import Mapping
from itertools import takewhile

from pydantic import JsonValue

from tasks.evaluation.errors import UserMistake

VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES"
# vLLM starts a process with a GPU of its own for each combination of these.
PARALLEL_ARGUMENTS = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
# CUDA ignores whatever follows a device that does not exist, such as -1.
DEVICE = re.compile(r"[0-9]+|(GPU|MIG)-\S+")


def share_devices(servers: int, arguments: Mapping[str, JsonValue], visible: str | None) -> list[list[str]]:
    """Return the devices of each server, as CUDA_VISIBLE_DEVICES names them.

    Args:
        servers: how many there are.
        arguments: the setting `vllm_args`, which says how many devices each needs.
        visible: the value of CUDA_VISIBLE_DEVICES; None: all devices, whatever their number.

    Raises:
        UserMistake: there are fewer devices, or their number cannot be read.
    """
    each = math.prod(_count(name, value) for name, value in arguments.items())
    needed = servers * each
    listed = [str(number) for number in range(needed)] if visible is None else _read_devices(visible)
    if len(listed) < needed:
        raise UserMistake(
            f"model.generator_settings.data_parallel_size: {servers} servers with {_name_count(each)} each need "
            f"{_name_count(needed)}, and {VISIBLE_DEVICES} lists {len(listed)} ({visible!r}): lower data_parallel_size, "
            "or list more"
        )
    return [listed[first : first + each] for first in range(0, needed, each)]


def name_devices(devices: list[str]) -> str:
    """Return the devices' name in messages."""
    return f"GPU{'s' if len(devices) > 1 else ''} {','.join(devices)}"


def _read_devices(visible: str) -> list[str]:
    return list(takewhile(DEVICE.fullmatch, (word.strip() for word in visible.split(","))))


def _name_count(devices: int) -> str:
    return f"{devices} GPU{'s' if devices > 1 else ''}"


def _count(name: str, value: JsonValue) -> int:
    """Return by how much an argument of vLLM multiplies the devices of a server."""
    if name.replace("-", "_") not in PARALLEL_ARGUMENTS or value is None:
        return 1
    if not re.fullmatch(r"[1-9][0-9]*", str(value)):
        raise UserMistake(f"model.generator_settings.vllm_args.{name}: {value!r} is not a number of GPUs")
    return int(str(value))
