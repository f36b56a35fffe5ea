"""What is asked on this machine goes past every proxy; what is elsewhere goes through the one that the environment names."""

import asyncio
import os
from urllib.request import urlopen

import httpx
import pytest

from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.http import Transport
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.endpoints.proxies import bypass_proxies
from tests.support.fake_endpoint import FakeEndpoint, Reply

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def proxy(endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that names a proxy at which nobody listens, with an exception of the user's own."""
    for name in ("all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", NOBODY)
    monkeypatch.setenv("no_proxy", "intranet.example")


def ask(url: str) -> str:
    async def ask_once() -> str:
        transport = Transport(Endpoint("generator", url, "none", {"model": "m"}), Patience(10, 60))
        try:
            return (await transport.ask([{"role": "user", "content": "Question 1"}]))[0].text
        finally:
            await transport.close()

    return asyncio.run(ask_once())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_asked_directly(proxy: None, endpoint: FakeEndpoint, host: str) -> None:
    """By whatever client: the standard library's, Prefect's and the openai package's."""
    bypass_proxies(os.environ)
    endpoint.models = Reply({"data": []})
    url = endpoint.url.replace("127.0.0.1", host)
    with urlopen(f"{url}/models") as response:
        assert response.status == 200
    assert httpx.get(f"{url}/models").status_code == 200
    assert ask(url) == "The answer is B."


def test_another_machine_is_asked_through_the_proxy(
    proxy: None, endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which sees the whole address."""
    monkeypatch.setenv("http_proxy", endpoint.url.removesuffix("/v1"))
    bypass_proxies(os.environ)
    assert ask("http://model.example/v1") == "The answer is B."
    assert endpoint.paths == {"http://model.example/v1/chat/completions"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({"no_proxy": "a"}, {"no_proxy": "a"}),
        ({"HTTPS_PROXY": "p"}, {"no_proxy": "{ours}", "NO_PROXY": "{ours}"}),
        ({"http_proxy": "p", "NO_PROXY": "a, b"}, {"no_proxy": "a,b,{ours}", "NO_PROXY": "a,b,{ours}"}),
        ({"http_proxy": "p", "no_proxy": "a", "NO_PROXY": "b"}, {"no_proxy": "a,{ours}", "NO_PROXY": "b,{ours}"}),
        ({"http_proxy": "p", "no_proxy": "localhost"}, {"no_proxy": "localhost,{rest}", "NO_PROXY": "localhost,{rest}"}),
        ({"http_proxy": "p", "no_proxy": "*"}, {"no_proxy": "*"}),
    ],
)
def test_the_users_own_exceptions_stay(before: dict[str, str], after: dict[str, str]) -> None:
    """In the variable that counts, and whichever of the two it was."""
    environment = dict(before)
    bypass_proxies(environment)
    ours, rest = "127.0.0.1,localhost,::1,0.0.0.0", "127.0.0.1,::1,0.0.0.0"
    expected = {name: value.format(ours=ours, rest=rest) for name, value in after.items()}
    assert environment == {**before, **expected}
    bypass_proxies(environment)
    assert environment == {**before, **expected}
