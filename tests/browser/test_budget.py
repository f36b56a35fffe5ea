"""A run whose budget is reached is suspended; Resume asks for a higher one in a form, or finishes with what there is."""

from typing import Any

from tests.support.served import COUNT, Served

# Each reply takes 12 tokens; that two may take more than is left, with 120 questions in all, leaves many open.
CAP = 800


def resume(served: Served, run_id: str, **answers: object) -> None:
    """Answer the form, as the button Resume does."""
    reply: dict[str, Any] = served.call("POST", f"flow_runs/{run_id}/resume", {"run_input": answers})
    assert reply["status"] == "ACCEPT"


def read_form(served: Served, run_id: str) -> dict[str, Any]:
    """Return the form's schema, and its description under `said`."""
    keys = served.run(run_id)["state"]["state_details"]["run_input_keyset"]
    schema: dict[str, Any] = served.call("GET", f"flow_runs/{run_id}/input/{keys['schema']}")
    return {**schema, "said": served.call("GET", f"flow_runs/{run_id}/input/{keys['description']}")}


def test_a_budget_is_raised_in_a_form_and_then_finished_with(served: Served) -> None:
    """Asked are the questions that each budget allows, each once; the end says how many were not."""
    config = served.write("frugal", parallel_workers=4)
    run_id = served.start(config_file=config, overrides={"max_tokens": 20, "max_tokens_total": CAP})
    served.wait_for(run_id, "Suspended")
    first = served.asked("frugal")
    assert 0 < first * 12 <= CAP
    form = read_form(served, run_id)
    assert form["properties"]["max_tokens_total"]["default"] == CAP
    assert set(form["properties"]) == {"max_tokens_total", "finish"}
    assert f"{first} of {COUNT} questions are finished: the budget is reached: {first * 12:,} of {CAP} tokens" in form["said"]
    assert form["said"].endswith('raise "Most tokens"')
    resume(served, run_id, max_tokens_total=CAP + 240)
    served.wait_for(run_id, "Suspended")
    second = served.asked("frugal")
    assert first < second <= (CAP + 240) / 12
    resume(served, run_id, max_tokens_total=CAP, finish=True)
    message = served.wait_for(run_id, "Completed", "Failed", "Crashed")
    assert message.endswith(f"; {COUNT - second} of {COUNT} not asked, as the budget was reached")
    assert served.asked("frugal") == second
