"""The GPUs of several servers: those that the environment allows, none of them twice."""

import pytest

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.local_servers.devices import share_devices


@pytest.mark.parametrize(
    ("servers", "arguments", "visible", "devices"),
    [
        (4, {}, None, ["0", "1", "2", "3"]),
        (2, {}, "5,2,7", ["5", "2"]),
        (2, {"tensor_parallel_size": 2}, None, ["0 1", "2 3"]),
        (2, {"tensor-parallel-size": "2", "dtype": "auto", "seed": 3}, "4, 5, 6, 7", ["4 5", "6 7"]),
        (1, {"tensor_parallel_size": 2, "pipeline_parallel_size": 2, "data_parallel_size": None}, None, ["0 1 2 3"]),
        (2, {}, "GPU-8932f937-d72c,MIG-GPU-8932f937/1/0", ["GPU-8932f937-d72c", "MIG-GPU-8932f937/1/0"]),
    ],
)
def test_each_server_gets_devices_of_its_own(
    servers: int, arguments: dict[str, object], visible: str | None, devices: list[str]
) -> None:
    """As many as one needs, in the order of the environment."""
    assert [" ".join(each) for each in share_devices(servers, arguments, visible)] == devices  # type: ignore[arg-type]


@pytest.mark.parametrize(("visible", "listed"), [("0,1,2", 3), ("", 0), ("0,1,-1,2,3", 2), ("NoDevFiles", 0), ("0,,1,2,3", 1)])
def test_more_devices_than_the_environment_lists_are_a_mistake(visible: str, listed: int) -> None:
    """CUDA ignores what follows an invalid one."""
    with pytest.raises(UserMistake, match=rf"2 servers with 2 GPUs each need 4 GPUs, and CUDA_VISIBLE_DEVICES lists {listed} "):
        share_devices(2, {"tensor_parallel_size": 2}, visible)


@pytest.mark.parametrize("value", [0, -1, "two", 1.5, True])
def test_a_number_of_devices_that_cannot_be_read_is_a_mistake(value: object) -> None:
    """It names the argument."""
    with pytest.raises(UserMistake, match=r"vllm_args.tensor-parallel-size: .* is not a number of GPUs"):
        share_devices(2, {"tensor-parallel-size": value}, None)  # type: ignore[dict-item]
