"""What failures mean: which status a report names, and whether it is about one question, the rate, or the whole run."""

import json

import httpx2
import pytest

from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.failures import classify_report, classify_status
from tasks.evaluation.endpoints.server_errors import find_report, read_report
from tasks.evaluation.errors import Declined, EndpointFailure, EndpointStop, EvaluationError, NoCompletion, RateLimited
from tests.support.asking import ask
from tests.support.fake_endpoint import FakeEndpoint, Reply, error

ENDPOINT = Endpoint("generator", "http://h/v1", "sk-very-secret", {"model": "m", "max_tokens": 1024})


# Another API's reply, and a gateway's first page.
GREETINGS = ({"message": {"role": "assistant", "content": "B"}, "done": True}, {"message": "Welcome to the gateway"})


def classify(status: int, body: object, **headers: str) -> EvaluationError:
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return classify_status(httpx2.Response(status, content=content, headers=headers), ENDPOINT)


@pytest.mark.parametrize(
    ("report", "status"),
    [
        ({"message": "x", "code": 429}, 429),
        ({"message": "x", "code": "429"}, 429),
        ({"message": "x", "code": "rate_limit_exceeded"}, 429),
        ({"message": "x", "type": "RateLimitError"}, 429),
        ("Rate limit exceeded, slow down", 429),
        ({"message": "x", "code": "insufficient_quota", "type": "requests"}, 402),
        ("Insufficient credits", 402),
        ({"message": "x", "code": "context_length_exceeded", "type": "invalid_request_error"}, 400),
        ("This model's maximum context length is 8192 tokens", 400),
        ({"message": "x", "code": "invalid_api_key"}, 401),
        ("Incorrect API key provided", 401),
        ({"message": "x", "type": "permission_error"}, 403),
        ({"message": "x", "code": "model_not_found"}, 404),
        ({"detail": "Not Found"}, 404),
        ({"message": "x", "type": "overloaded_error"}, 503),
        ("Error code: 502 - bad gateway", 502),
        ({"message": "Provider returned error", "metadata": {"raw": '{"error": {"message": "y", "code": 503}}'}}, 500),
        ({"code": 200, "message": "boom"}, 500),
        ({"error_code": 18, "error_msg": "Open api qps request limit reached"}, 429),
        ({"code": "1302", "message": "Too many concurrent requests"}, 429),
        ({"error_code": 110, "error_msg": "Access token invalid or no longer valid"}, 401),
        ({"base_resp": {"status_code": 1004, "status_msg": "login fail: no such user"}}, 401),
        ({"base_resp": {"status_code": 1026, "status_msg": "input new_sensitive"}}, 400),
        ("boom", 500),
    ],
)
def test_a_report_counts_as_the_status_that_it_names(report: str | dict[str, object], status: int) -> None:
    """As a number, by the name of a code, or in words; what names none is a failure that is asked again."""
    assert read_report(json.loads(json.dumps(report))).status == status


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": {"message": "x", "code": "content_filter"}}),
        (400, {"error": {"message": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}),
        (400, {"code": "DataInspectionFailed", "message": "x"}),
        (400, {"error": {"message": "This model's maximum context length is 8192 tokens, you sent 9000"}}),
        (403, {"error": {"message": "x", "metadata": {"reasons": ["violence"]}}}),
        (403, {"error": {"message": "Your input was flagged"}}),
        (413, {"error": {"message": "x"}}),
        (451, {"error": {"message": "x"}}),
        (400, {"error": {"message": "Content Exists Risk"}}),
        (400, {"error": {"message": "系统检测到输入内容可能包含不安全或敏感内容"}}),
        (403, {"detail": "Request blocked: prompt injection detected"}),
        (400, [{"error": {"message": "The input token count (9000) exceeds the maximum number of tokens allowed (8192)."}}]),
        (422, {"error": "Input validation error: `inputs` must have less than 4095 tokens. Given: 9000"}),
        (422, {"error": "`inputs` tokens + `max_new_tokens` must be <= 4096"}),
        (400, {"error": {"message": "This model's maximum prompt length is 131072"}}),
        (400, {"error": {"message": "Range of input length should be [1, 30720]"}}),
        (400, {"error": {"message": "Please reduce the length of the messages."}}),
    ],
)
def test_what_a_question_holds_declines_it_alone(status: int, body: object) -> None:
    """It says nothing about the next question."""
    error = classify(status, body)
    assert isinstance(error, Declined)
    assert error.is_about_content


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "Unsupported parameter: 'top_k'"),
        (422, "Extra inputs are not permitted"),
        (400, "max_tokens is too large: 1024. The context length is 512 tokens"),
    ],
)
def test_how_questions_are_asked_declines_all(status: int, message: str) -> None:
    """The limit of our own that alone fills the context, too."""
    error = classify(status, {"error": {"message": message}})
    assert isinstance(error, Declined)
    assert not error.is_about_content


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": {"message": "Your credit balance is too low"}}),
        (400, {"error": {"message": "API key not valid. Please pass a valid one."}}),
        (403, {"error": {"message": "Your account was flagged"}}),
        (403, {"error": {"message": "This key has no access to the model"}}),
        (429, {"error": {"message": "x", "code": "insufficient_quota"}}),
        (429, {"error": {"message": "x", "type": "insufficient_quota"}}),
        (429, {"error": {"message": "余额不足或无可用资源包"}}),
    ],
)
def test_what_concerns_the_key_or_the_account_stops(status: int, body: object) -> None:
    """Every question would be declined."""
    assert isinstance(classify(status, body), EndpointStop)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_names_the_address_to_write(status: int) -> None:
    """It is not followed: a question would become a request for a page, and the key would go elsewhere."""
    error = classify(status, "", location="https://h/v1/chat/completions?key=sk-very-secret")
    assert isinstance(error, NoCompletion)
    assert error.is_foreign
    assert f"{status} with a redirect to https://h/v1/chat/completions" in str(error)
    assert "sk-very-secret" not in str(error)


@pytest.mark.parametrize(
    "failure",
    [
        Reply(status=302, headers={"Location": "http://h/caf\xe9"}),
        error(400, "half a pair: \ud800"),
        Reply({"error": {"message": "half a pair: \udc00"}}),
    ],
    ids=["header", "report", "report with status 200"],
)
def test_a_message_has_a_form_in_utf_8(endpoint: FakeEndpoint, failure: Reply) -> None:
    """Whatever bytes a server sends: Prefect could not be told otherwise how the run ended."""
    endpoint.rule = lambda _: failure
    with pytest.raises(EvaluationError, match=r"half a pair: \?|redirect to http://h/caf\?") as raised:
        ask(endpoint.url)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("status", [405, 501, 511])
def test_a_web_server_is_quoted_by_its_title(status: int) -> None:
    """In place of its markup."""
    error = classify(status, "<html><head><title>Not Allowed</title></head><body>x</body></html>")
    assert isinstance(error, NoCompletion)
    assert f"answered {status}: Not Allowed" in str(error)


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504, 520, 529])
def test_other_failures_are_asked_again(status: int) -> None:
    """Whatever stands in them."""
    assert type(classify(status, "<html>moderation</html>")) is EndpointFailure


def test_a_rate_limit_in_a_body_is_one() -> None:
    """With the wait that the headers ask for."""
    error = classify_report(read_report({"message": "Too Many Requests", "code": 429}), ENDPOINT, 7.0)
    assert isinstance(error, RateLimited)
    assert error.retry_after_seconds == 7.0


@pytest.mark.parametrize("body", [None, [], {}, "x", {"choices": []}, {"object": "list"}, *GREETINGS])
def test_what_reports_nothing_is_no_report(body: object) -> None:
    """It is looked at as a completion then."""
    assert find_report(json.loads(json.dumps(body))) is None


def test_a_prompt_that_gemini_blocks_is_declined_for_what_it_holds() -> None:
    """It comes with status 200 and without choices."""
    report = find_report({"choices": [], "promptFeedback": {"blockReason": "SAFETY"}})
    error = classify_report(read_report(report), ENDPOINT)
    assert isinstance(error, Declined)
    assert error.is_about_content


@pytest.mark.parametrize(
    ("body", "may_be_one"),
    [
        ("<html><title>403 Forbidden</title></html>", True),
        ({"error": {"message": "No endpoints found that support this input"}}, True),
        ({"error": {"message": "Your API key has expired"}}, False),
        ({"error": {"message": "The model `m` does not exist"}}, False),
        ({"error": {"message": "Your organization may not use this"}}, False),
    ],
)
def test_a_firewall_may_block_one_question(body: object, may_be_one: bool) -> None:
    """What concerns the key, the account or the model concerns every question."""
    error = classify(403, body)
    assert isinstance(error, EndpointStop)
    assert error.may_be_one == may_be_one
