"""A model's name that an endpoint does not list: refused if that is a mistake beyond doubt, and only then."""

import pytest

from tasks.evaluation.endpoints.listed_models import ListedModel, find_meant, find_nearest, is_listed

HERE, FAR = "http://127.0.0.1:8000/v1", "https://api.example.com/v1"
OPENAI, AZURE = "https://api.openai.com/v1", "https://lab.openai.azure.com/openai/v1"


def entries(names: str, owner: str = "") -> list[ListedModel]:
    return [ListedModel(name, owner) for name in names.split()]


@pytest.mark.parametrize(
    ("name", "listed", "meant"),
    [
        ("gpt-4.1-mni", "gpt-4.1 gpt-4.1-mini", "gpt-4.1-mini"),
        ("lama-8b", "llama-8b llama-8b-instruct", "llama-8b"),
        ("llama-8b-instrcut", "llama-8b llama-8b-instruct", "llama-8b-instruct"),
        ("qwenn2.5-7b", "qwen2.5-7b", "qwen2.5-7b"),
        ("Mistrel-7B", "mistral-7b", "mistral-7b"),
        ("grok-bta", "grok-beta", "grok-beta"),
    ],
)
def test_one_slip_in_one_word_is_a_mistake(name: str, listed: str, meant: str) -> None:
    """At any address, since no model is called so."""
    assert find_meant(name, entries(listed), FAR) == meant


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("claude-sonnet-4-0", "claude-sonnet-4-20250514 claude-opus-4-20250514"),
        ("claude-3-7-sonnet-latest", "claude-3-7-sonnet-20250219 claude-3-5-haiku-20241022"),
        ("gpt-4o-2024-11-20", "gpt-4o gpt-4o-2024-08-06 gpt-4o-2024-05-13"),
        ("grok-2", "grok-2-1212 grok-3 grok-4"),
        ("gpt-5.1", "gpt-4.1 gpt-4.5"),
        ("ft:gpt-4o-mini:lab::abc", "gpt-4o-mini gpt-4o"),
        ("llama-8b:free", "llama-8b llama-70b"),
        ("llama-8b-math-lora", "llama-8b llama-70b"),
        ("mixtral-8b", "mistral-8b"),
        ("qwen-coder", "qwen-code qwen-chat"),
        ("LLAMA-8B", "llama-8b"),
        ("my-own-name", "llama-8b mistral-7b"),
        ("o3", "o1 o4-mini"),
    ],
)
def test_what_may_be_a_name_all_the_same_is_asked(name: str, listed: str) -> None:
    """Aliases, snapshots, variants, adapters, newer versions, names that are words of their own."""
    assert find_meant(name, entries(listed), FAR) is None


@pytest.mark.parametrize(
    ("name", "listed", "owner", "url"),
    [
        ("openai/gpt-4.1-mni", "openai/gpt-4.1-mini meta-llama/llama-8b", "", FAR),
        ("argo:gpt-4.1-mni", "argo:gpt-4.1-mini", "", HERE),
        ("gpt-4.1-mni", "gpt-4.1-mini", "openai", HERE),
        ("ollama/lama", "openai/* ollama/llama", "", HERE),
        ("gpt-4.1-mni", "gpt-4.1-mini", "", AZURE),
        ("lama", "llama", "llamacpp", HERE),
        ("lama", "llama", "sglang", HERE),
    ],
)
def test_gateways_and_servers_that_take_any_name_are_asked(name: str, listed: str, owner: str, url: str) -> None:
    """However much the name looks like a slip: aliases and deployments can be called anything."""
    assert find_meant(name, entries(listed, owner), url) is None


def test_openai_itself_is_no_gateway() -> None:
    """Though all its models have the owner that gateways copy."""
    assert find_meant("gpt-4.1-mni", entries("gpt-4.1-mini gpt-4.1", "openai"), OPENAI) == "gpt-4.1-mini"


@pytest.mark.parametrize(
    ("name", "listed", "owner", "meant"),
    [
        ("Llama-3.1-8B", "meta-llama/Llama-3.1-8B", "vllm", "meta-llama/Llama-3.1-8B"),
        ("meta-llama/llama-3.1-8b", "meta-llama/Llama-3.1-8B", "vllm", "meta-llama/Llama-3.1-8B"),
        ("qwen/Llama-3.1-8B", "Llama-3.1-8B", "vllm", "Llama-3.1-8B"),
        ("llama-7b", "llama-8b", "vllm", "llama-8b"),
        ("llama3", "llama3:8b mistral:7b", "library", "llama3:8b"),
        ("llama3:70b", "llama3:8b mistral:7b", "library", "llama3:8b"),
    ],
)
def test_servers_that_list_all_they_answer_to_are_believed(name: str, listed: str, owner: str, meant: str) -> None:
    """vLLM and Ollama, for a name of the same kind as a listed one."""
    assert find_meant(name, entries(listed, owner), FAR) == meant


def test_an_adapter_that_vllm_would_load_on_demand_is_asked() -> None:
    """Its name need not look like the model's, or may continue it."""
    models = entries("meta-llama/Llama-3.1-8B", "vllm")
    assert [find_meant(name, models, HERE) for name in ("sql-adapter", "Llama-3.1-8B-sql")] == [None, None]


@pytest.mark.parametrize("url", [HERE, "http://localhost:8000/v1", "http://10.0.0.7:8000/v1"])
def test_other_numbers_than_two_listed_names_are_a_mistake_nearby(url: str) -> None:
    """On one's own machine or network a list is made from what is served."""
    assert find_meant("llama-7b", entries("llama-8b llama-70b"), url) == "llama-70b"
    assert find_meant("llama-7b", entries("llama-8b mistral-7b"), url) is None
    assert find_meant("llama-7b", entries("llama-8b llama-70b"), FAR) is None


@pytest.mark.parametrize(
    ("name", "listed"),
    [("gemini-2.0-flash", "models/gemini-2.0-flash"), ("llama3", "llama3:latest"), ("openai/gpt-9", "openai/*"), ("m", "m")],
)
def test_a_name_can_be_listed_in_other_words(name: str, listed: str) -> None:
    """By Gemini, Ollama and LiteLLM; there is no warning then."""
    assert is_listed(name, entries(listed))


def test_a_name_in_brackets_is_no_pattern() -> None:
    """Only an asterisk makes one."""
    assert not is_listed("model-a", entries("model-[abc]"))


def test_the_nearest_name_helps_in_a_warning() -> None:
    """If one is near at all."""
    assert find_nearest("llama-7b", entries("llama-8b mistral")) == "llama-8b"
    assert find_nearest("gpt", entries("llama-8b mistral")) is None
