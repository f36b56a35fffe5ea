"""What `vllm serve` is started with: options for all to see, secrets in its environment."""

import pytest

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.local_servers.vllm_arguments import find_secrets, list_deciding_arguments, list_options

ARGUMENTS = {
    "dtype": "auto",
    "max_model_len": 4096,
    "enforce_eager": True,
    "trust_remote_code": False,
    "limit_mm_per_prompt": {"image": 1},
    "api-key": ["${LAB_KEY}", "sk-2"],
    "hf_token": "hf-secret",
}


def test_each_argument_is_an_option() -> None:
    """A true one its name alone, a false one nothing; no secret is among them."""
    assert list_options(ARGUMENTS) == [  # type: ignore[arg-type]
        *("--dtype", "auto", "--max-model-len", "4096", "--enforce-eager", "--limit-mm-per-prompt", '{"image": 1}'),
    ]


def test_secrets_go_through_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the names that vLLM reads; from a variable of ours, or as they stand."""
    monkeypatch.setenv("LAB_KEY", "sk-1")
    assert find_secrets(ARGUMENTS) == {"VLLM_API_KEY": "sk-1", "HF_TOKEN": "hf-secret"}  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["${LAB_KEY}", "secret:lab"])
def test_a_secret_that_is_not_there_is_a_mistake(key: str) -> None:
    """Blocks are Prefect's, and it starts later."""
    with pytest.raises(UserMistake, match=r"LAB_KEY|\$\{NAME\}"):
        find_secrets({"api_key": key})


def test_a_command_prints_no_key_for_a_server_of_our_own() -> None:
    """It would keep the first key for good; nothing is run."""
    with pytest.raises(UserMistake, match=r"vllm_args.hf-token takes no command"):
        find_secrets({"hf-token": "command: touch ran"})


def test_neither_speed_nor_secrets_decide_an_answer() -> None:
    """So another key reuses the answers."""
    assert list_deciding_arguments({"seed": 1, "max_num_seqs": 8, "api_key": "sk-1"}) == {"seed": 1}
