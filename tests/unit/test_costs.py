"""What replies cost: as their endpoint says, by the settings' prices, by public prices, or unknown, which is never nothing."""

from typing import Any

import pytest

from tasks.evaluation.config.prices import Prices
from tasks.evaluation.spending.costs import CostSum, CostTable, format_dollars
from tasks.evaluation.spending.pricing import Pricing
from tasks.evaluation.spending.usage import add_cost, add_usage, read_usage

PRICES = Prices(prompt=2.0, completion=8.0, cached=0.5, reasoning=10.0)
TOKENS: dict[str, Any] = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}


@pytest.mark.parametrize(
    ("said", "dollars"),
    [
        ({"cost": 0.0125}, 0.0125),
        ({"cost": 0}, 0.0),
        ({"cost": "0.5"}, 0.5),
        ({"cost": {"input_tokens_cost": 0.1, "total_cost": 0.3}}, 0.3),
        ({"estimated_cost": 0.25}, 0.25),
        ({"cost": 0.25, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.5}}, 0.75),
        ({"cost": 0.5, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.5}}, 0.5),
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, None),
        ({"cost": True}, None),
        ({"cost": -1}, None),
        ({"cost": float("nan")}, None),
        ({"cost": "free"}, None),
        ({"cost": None}, None),
        ({"cost": 10**400}, None),
        ({"cost": 1e300}, None),
    ],
)
def test_an_endpoints_own_word_is_read(said: dict[str, Any], dollars: float | None) -> None:
    """However it says it; what is no amount of money says nothing."""
    assert Pricing().find_cost(read_usage({**TOKENS, **said})) == dollars


def test_a_header_says_it_where_the_body_does_not() -> None:
    """As LiteLLM's proxy does."""
    headers = {"x-litellm-response-cost": "0.002"}
    assert add_cost(read_usage(TOKENS), headers)["cost"] == 0.002
    assert add_cost(read_usage({**TOKENS, "cost": 0.5}), headers)["cost"] == 0.5
    assert "cost" not in add_cost(read_usage(TOKENS), {"x-litellm-response-cost": "None"})


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        (TOKENS, (1000 * 2 + 100 * 8) / 1e6),
        ({**TOKENS, "prompt_tokens_details": {"cached_tokens": 400}}, (600 * 2 + 400 * 0.5 + 100 * 8) / 1e6),
        ({**TOKENS, "prompt_cache_hit_tokens": 400}, (600 * 2 + 400 * 0.5 + 100 * 8) / 1e6),
        ({**TOKENS, "completion_tokens_details": {"reasoning_tokens": 60}}, (1000 * 2 + 40 * 8 + 60 * 10) / 1e6),
        # The total alone holds 50 tokens of reasoning.
        ({**TOKENS, "total_tokens": 1150}, (1000 * 2 + 150 * 8) / 1e6),
        # More than there is cannot be cached.
        ({**TOKENS, "prompt_tokens_details": {"cached_tokens": 5000}}, (1000 * 0.5 + 100 * 8) / 1e6),
        ({}, None),
        ({"completion_tokens_details": {"reasoning_tokens": 5}}, None),
    ],
)
def test_prices_are_those_of_a_million_tokens(usage: dict[str, Any], dollars: float | None) -> None:
    """Cached and reasoning tokens are parts of the others; without a count nothing is known."""
    cost = Pricing(own=PRICES).find_cost(read_usage(usage))
    assert cost == (dollars if dollars is None else pytest.approx(dollars))


def test_public_prices_go_by_the_address() -> None:
    """A provider's model has a price there, and nowhere else: a laboratory's server of the same model is free or unknown."""
    usage = read_usage(TOKENS)
    public = Pricing("gpt-4.1", "https://api.openai.com/v1")
    assert public.find_cost(usage) == pytest.approx((1000 * 2 + 100 * 8) / 1e6)
    assert public.source.startswith("genai-prices ")
    assert Pricing("text-embedding-3-small", "https://api.openai.com/v1").find_cost(
        read_usage({"prompt_tokens": 10, "total_tokens": 10})
    )
    for model, url in (
        ("gpt-4.1", "http://127.0.0.1:8000/v1"),
        ("gpt-4.1", "https://argo.example/v1"),
        ("no-such-model", "https://api.openai.com/v1"),
        ("gpt-4.1", ""),
    ):
        assert Pricing(model, url).find_cost(usage) is None
        assert Pricing(model, url).source == "unknown"


def test_replies_to_one_question_add_up() -> None:
    """If only one of two says its cost, that of both is unknown."""
    one, other = read_usage({**TOKENS, "cost": 0.1}), read_usage({**TOKENS, "cost": 0.2})
    assert add_usage(one, other)["cost"] == pytest.approx(0.3)
    assert "cost" not in add_usage(one, read_usage(TOKENS))
    assert add_usage(one, {})["cost"] == 0.1


def test_unknown_costs_are_counted_and_never_nothing() -> None:
    """A refusal by status costs nothing; a reply that says nothing costs nobody knows how much."""
    table = CostTable(5, {"generator": Pricing(own=PRICES)})
    table.note(0, {"usage": {"generator": TOKENS, "grader": TOKENS}})
    table.note(1, {"usage": {"generator": {}, "grader": {}}})
    table.note(2, {"usage": {"generator": {}, "grader": {}}, "skipped": True})
    table.note(3, {"usage": {"generator": {"cost": 0.5}}})
    assert set(table.add_up([0, 1])) == {"generator"}
    total = table.add_up([0, 1, 2, 3])["generator"]
    assert (total.known, total.unknown, total.total) == (2, 1, None)
    assert total.dollars == pytest.approx(0.5028)
    assert table.add_up([0, 3])["generator"].total == pytest.approx(0.5028, rel=1e-12)
    assert str(CostSum(unknown=3)) == "unknown"
    assert str(CostSum(1.5, 2, 1)) == "$1.50, and what 1 reply without a known price has cost"
    assert str(CostSum(1.5, 2, 3)) == "$1.50, and what 3 replies without a known price have cost"


def test_amounts_read_as_people_write_them() -> None:
    """Small ones with two digits that say something."""
    amounts = (0, 1234.5, 0.1, 0.099, 0.0123, 0.00004567)
    assert [format_dollars(each) for each in amounts] == ["$0.00", "$1,234.50", "$0.10", "$0.099", "$0.012", "$0.000046"]
