"""What is asked, how replies become scores without a grader, and what of it a run reports."""

from pathlib import Path

import pytest

from tests.support.exam import read_final, run
from tests.support.fake_endpoint import FakeEndpoint, completion, make_questions, prompt_of, write_config, write_questions


@pytest.fixture(autouse=True)
def surroundings(prefect_server: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up a server, a working directory, and the key in the environment."""
    monkeypatch.setenv("FAKE_KEY", "sk-very-secret")


def test_short_answers_and_what_stands_out_are_counted(
    folder: Path, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a grader; a reply that chooses nothing is wrong, one that was cut is scored as far as it goes."""
    questions = [
        {"question": "What is the capital of France?", "answer": "Paris"},
        {"question": "How long is it?", "answer": "13 km", "answers": ["eight miles"]},
        *make_questions(3),
    ]
    replies = {
        "France": completion("The answer is Paris."),
        "long": completion("It is twelve miles"),
        "Question 1": completion("B"),
        "Question 2": completion("Let us first", finish_reason="length"),
        "Question 3": completion("I cannot say."),
    }
    endpoint.rule = lambda body: next(reply for words, reply in replies.items() if words in prompt_of(body))
    write_questions(folder, questions)
    assert run(write_config(folder, endpoint.url)).is_completed()
    final = read_final(folder)
    assert [result["score"] for result in final["results"]] == [1, 0, 1, 0, 0]
    assert [result["evaluation"].get("no_choice") for result in final["results"]] == [None, None, False, True, True]
    assert [result["evaluation"]["truncated"] for result in final["results"]] == [False, False, False, True, False]
    statistics = final["metadata"]["statistics"]
    assert (statistics["no_choice"], statistics["truncated"], statistics["f1"]) == (2, 1, 0.75)
    printed = capsys.readouterr().out
    assert "Chose nothing, counted as wrong: 2" in printed
    assert "Truncated answers, scored as received: 1" in printed
    assert "Token F1 of the short answers: 0.7500" in printed


def test_the_settings_prompt_is_sent_and_recorded(folder: Path, endpoint: FakeEndpoint) -> None:
    """The results' metadata holds its words; other words ask again, the same ones do not."""
    write_questions(folder, make_questions(2))
    config = folder / write_config(folder, endpoint.url)
    bare = config.read_text()
    config.write_text(f"{bare}\nprompt: {{system: Be brief., mc: 'Exam. {{question}}'}}")
    run()
    assert [body["messages"][0] for body in endpoint.bodies] == [{"role": "system", "content": "Be brief."}] * 2
    assert all(prompt.startswith("Exam. Question ") for prompt in endpoint.asked())
    prompt = read_final(folder)["metadata"]["evaluation_metadata"]["prompt"]
    assert (prompt["system"], prompt["mc"]) == ("Be brief.", "Exam. {question}")
    run()
    assert len(endpoint.bodies) == 2
    config.write_text(bare)
    run()
    assert len(endpoint.bodies) == 4
    assert all('"ANSWER: " and one of A, B, C, D.\n\nQuestion ' in prompt for prompt in list(endpoint.asked())[2:])


def test_the_likeliest_first_token_chooses(folder: Path, endpoint: FakeEndpoint) -> None:
    """One token is asked for; its probabilities are recorded, and no answer counts as cut."""
    likeliest = [{"token": "D", "logprob": -0.1}, {"token": " B", "logprob": -3.0}]
    reply = completion("D", finish_reason="length")
    assert isinstance(reply.body, dict)
    reply.body["choices"][0]["logprobs"] = {"content": [{**likeliest[0], "top_logprobs": likeliest}]}
    endpoint.rule = lambda _: reply
    write_questions(folder, make_questions(3))
    with (folder / write_config(folder, endpoint.url)).open("a") as settings:
        settings.write("\ngrading: logprobs")
    assert run().is_completed()
    sent = endpoint.bodies[0]
    assert (sent["max_tokens"], sent["logprobs"], sent["top_logprobs"]) == (1, True, 20)
    assert sent["messages"][-1]["content"].endswith("Reply with one of A, B, C, D and nothing else.")
    final = read_final(folder)
    assert [result["score"] for result in final["results"]] == [0, 0, 0]
    assert final["results"][0]["evaluation"]["probabilities"] == {"A": 0, "B": 0.049787, "C": 0, "D": 0.904837}
    assert final["metadata"]["statistics"]["truncated"] == 0
    endpoint.forget()
    run()
    assert endpoint.bodies == []


def test_an_endpoint_without_logprobs_stops_the_run(folder: Path, endpoint: FakeEndpoint) -> None:
    """After one question, which is not scored."""
    from tasks.evaluation.errors import UserMistake

    write_questions(folder, make_questions(3))
    with (folder / write_config(folder, endpoint.url, parallel_workers=1)).open("a") as settings:
        settings.write("\ngrading: logprobs")
    state = run()
    with pytest.raises(UserMistake, match="gives no logprobs"):
        state.result()
    assert len(endpoint.bodies) == 1
