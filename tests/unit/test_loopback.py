"""What is asked on this machine goes past every proxy; what is elsewhere goes through the one that the environment names."""

import asyncio
import os
from urllib.request import urlopen

import httpx
import pytest

from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.http import Transport
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.endpoints.proxies import bypass_proxies, choose_proxy
from tests.support.fake_endpoint import FakeEndpoint, Reply

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def proxy(endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name in the environment a proxy at which nobody listens, with an exception of the user's own."""
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


@pytest.mark.parametrize(
    ("url", "proxies", "proxy"),
    [
        ("http://lab/v1", {"http": "http://p:1"}, "http://p:1"),
        ("https://lab/v1", {"http": "http://p:1"}, None),
        ("https://lab/v1", {"all": "p:1"}, "http://p:1"),
        ("http://lab/v1", {"all": "socks4://p:1"}, None),
        ("http://lab/v1", {"http": "http://p:1", "no": "other, lab"}, None),
        ("http://gpu.lab.example/v1", {"http": "http://p:1", "no": ".lab.example"}, None),
        ("http://notlab.example/v1", {"http": "http://p:1", "no": "lab.example"}, "http://p:1"),
        ("http://10.1.2.3/v1", {"http": "http://p:1", "no": "10.0.0.0/8"}, None),
        ("http://[fd00::5]/v1", {"http": "http://p:1", "no": "fd00::/8"}, None),
        ("http://[::1]:8000/v1", {"all": "http://p:1"}, None),
        ("http://127.0.0.9/v1", {"all": "http://p:1"}, None),
        ("http://lab/v1", {"http": "http://p:1", "no": "*"}, None),
    ],
)
def test_the_proxy_is_chosen_by_address(url: str, proxies: dict[str, str], proxy: str | None) -> None:
    """Names cover what is below them, ranges cover addresses, and this machine needs no exception."""
    assert choose_proxy(url, proxies) == proxy


@pytest.mark.parametrize("exception", ["[::1]", "fd00::/8", "[fd00::]/8", "::1/128", "a:b", "http://[", "10.0.0.0/8"])
def test_an_exception_in_any_form_stops_no_client(exception: str) -> None:
    """Prefect's own stops with a traceback at some of them."""
    environment = {"http_proxy": NOBODY, "no_proxy": exception}
    assert bypass_proxies(environment) == []
    entries = environment["no_proxy"].split(",")
    assert "127.0.0.1" in entries
    assert not any(mark in entry for entry in entries for mark in ("[", "::/"))


@pytest.mark.parametrize("proxy", ["socks4://p:1", "ftp://p:1", "http://p:none", "http://"])
def test_a_proxy_that_nobody_can_use_is_taken_out_with_a_warning(proxy: str) -> None:
    """What is on this machine needs none."""
    environment = {"ALL_PROXY": proxy}
    assert "ALL_PROXY names a proxy that cannot be used" in bypass_proxies(environment)[0]
    assert "ALL_PROXY" not in environment
