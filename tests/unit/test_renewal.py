"""A key that expires is read again where it is kept: once for all that need it, and not again if that does not help."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.endpoints.described import find_generator, find_judge
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.endpoints.preflight import check_endpoint
from tasks.evaluation.endpoints.slots import Slots
from tasks.evaluation.errors import EndpointStop, UserMistake
from tests.support.expiring_key import ExpiringKey
from tests.support.fake_endpoint import FakeEndpoint, completion, error


@pytest.fixture
def key(folder: Path, endpoint: FakeEndpoint) -> ExpiringKey:
    """Return a key without which the endpoint answers nothing."""
    key = ExpiringKey(folder)
    endpoint.admits = key.admits
    return key


def find(endpoint: FakeEndpoint, keys: KeyReader | None = None, **settings: object) -> Endpoint:
    """Return the generator at the endpoint's address, with these settings."""
    generator = {"model": "m", "base_url": endpoint.url, **settings}
    config = Config.model_validate({"questions_file": "q", "model": {"generator_settings": generator}})
    return find_generator(config, keys or KeyReader({}, str))


def find_by_command(endpoint: FakeEndpoint, key: ExpiringKey, **settings: object) -> Endpoint:
    """Return the generator whose key the command prints."""
    return find(endpoint, None, api_key=f"command: '{key.script}' --for lab", **settings)


def ask(
    *targets: Endpoint,
    count: int = 1,
    between: Callable[[], None] = lambda: None,
    notify: Callable[[str], None] = print,
    is_proven: bool = True,
) -> list[Answer]:
    """Ask each endpoint this many questions at a time, and once more after what happens in between; return the last answers."""

    async def ask_twice() -> list[Answer]:
        clients = [Client(target, Patience(60, 0), is_proven=is_proven, slots=Slots(1000), notify=notify) for target in targets]
        try:
            await ask_all(clients)
            between()
            return await ask_all(clients)
        finally:
            for client in clients:
                await client.close()

    async def ask_all(clients: list[Client]) -> list[Answer]:
        asking = [client.ask([{"role": "user", "content": f"Question {n}"}]) for client in clients for n in range(1, count + 1)]
        return await asyncio.gather(*asking)

    return asyncio.run(ask_twice())


def check(target: Endpoint) -> None:
    """Check the endpoint as before the first question."""

    async def check_once() -> None:
        client = Client(target, Patience(60, 0), is_proven=False, slots=Slots(), notify=print)
        try:
            await check_endpoint(client, print)
        finally:
            await client.close()

    asyncio.run(check_once())


def test_a_command_is_called_once_for_each_key(endpoint: FakeEndpoint, key: ExpiringKey) -> None:
    """However many requests are in flight when the key expires; each of them is answered."""
    endpoint.delay_seconds = 0.05
    answers = ask(find_by_command(endpoint, key), count=64, between=key.replace)
    assert len(answers) == 64
    assert key.call_count == 2
    assert endpoint.keys == {f"Bearer {each}" for each in key.all}
    assert endpoint.asked() == Counter({f"Question {n}": 2 for n in range(1, 65)})
    assert 1 <= endpoint.refused_count <= 64


def test_two_endpoints_share_a_command(endpoint: FakeEndpoint, key: ExpiringKey) -> None:
    """As a generator and a grader at one gateway do."""
    keys, command = KeyReader({}, str), f"command:{key.script}"
    Path("model_servers.yaml").write_text(
        f"servers: [{{shortname: j, openai_api_base: '{endpoint.url}', openai_model: j, openai_api_key: '{command}'}}]"
    )
    config = Config.model_validate(
        {
            "questions_file": "q",
            "model": {
                "generator_settings": {"model": "m", "base_url": endpoint.url, "api_key": command},
                "grader_shortname": "j",
            },
        }
    )
    generator = find_generator(config, keys)
    grader = find_judge(config, Path(), keys, generator)
    assert grader
    ask(generator, grader, count=8, between=key.replace)
    assert key.call_count == 2


def test_nothing_is_run_before_the_first_request(endpoint: FakeEndpoint, key: ExpiringKey) -> None:
    """Finding an endpoint reads its settings; only asking it needs its key, and the run names the program."""
    target = find_by_command(endpoint, key)
    assert key.call_count == 0
    assert target.api_key == "none"
    lines: list[str] = []
    ask(target, notify=lines.append)
    assert lines == [f"The key for the generator comes from the program {key.script} (model.generator_settings.api_key)"]


def test_a_header_is_printed_too(endpoint: FakeEndpoint, key: ExpiringKey) -> None:
    """Behind its scheme, and read again as a key is."""
    target = find(endpoint, api_key="none at all", headers={"authorization": f"Bearer command: {key.script}"})
    assert len(ask(target, between=key.replace)) == 1
    assert key.call_count == 2


def test_a_secret_block_is_read_again(endpoint: FakeEndpoint, key: ExpiringKey) -> None:
    """Whoever renews the key puts it there."""
    target = find(endpoint, KeyReader({}, lambda _: key.all[-1]), api_key="secret:lab")
    assert len(ask(target, count=8, between=key.replace)) == 8
    assert endpoint.keys == {f"Bearer {each}" for each in key.all}


@pytest.mark.parametrize("written", ["${LAB_KEY}", "secret:lab", "Key0000xW7qTz9+Lm/2vRb5="])
def test_the_same_key_stops_at_once(endpoint: FakeEndpoint, key: ExpiringKey, written: str) -> None:
    """Sending it once more would not help."""
    target = find(endpoint, KeyReader({"LAB_KEY": key.all[0]}, lambda _: key.all[0]), api_key=written)
    with pytest.raises(EndpointStop, match=r"answered 401: .*\*\*\*; renew the API key"):
        ask(target, between=key.replace)
    assert endpoint.refused_count == 1


def test_the_same_key_from_a_command_stops_at_once(endpoint: FakeEndpoint, key: ExpiringKey) -> None:
    """It was asked for once more, and not a third time."""
    key.write_script(f"echo '{key.all[0]}'")
    with pytest.raises(EndpointStop, match=r"renew the API key.*print-key printed the same key again"):
        ask(find_by_command(endpoint, key), count=8, between=key.replace)
    assert key.call_count == 2


def test_a_second_401_stops(endpoint: FakeEndpoint, key: ExpiringKey) -> None:
    """With the key that the command has just printed."""
    key.write_script(f"echo wrong-$(wc -l < '{key.calls}')")
    with pytest.raises(UserMistake, match=r"answered 401: .*renew the API key.*it is the new one of .*print-key"):
        ask(find_by_command(endpoint, key), is_proven=False)
    assert (key.call_count, endpoint.refused_count) == (2, 2)


@pytest.mark.parametrize(("refresh_seconds", "calls"), [(3600, 1), (1e-9, 2)])
def test_a_key_is_read_again_as_it_ages(endpoint: FakeEndpoint, key: ExpiringKey, refresh_seconds: float, calls: int) -> None:
    """With `refresh_seconds`, before anything is refused; one that is young is kept."""
    endpoint.admits = lambda _: True
    target = find_by_command(endpoint, key)
    assert target.sources
    ask(replace(target, sources=replace(target.sources, refresh_seconds=refresh_seconds)), between=key.replace)
    assert key.call_count == calls


def test_a_failing_refresh_keeps_the_key(endpoint: FakeEndpoint, key: ExpiringKey) -> None:
    """It is not refused yet; a line warns the user."""
    target = find_by_command(endpoint, key)
    assert target.sources
    lines: list[str] = []
    ask(
        replace(target, sources=replace(target.sources, refresh_seconds=1e-9)),
        between=lambda: key.write_script("exit 7"),
        notify=lines.append,
    )
    assert lines[-1].startswith("⚠️ model.generator_settings.api_key: the command")
    assert lines[-1].endswith("failed with exit code 7; the key in use is kept until it is refused")


def test_one_failure_is_enough_for_all(endpoint: FakeEndpoint, key: ExpiringKey) -> None:
    """Those that wait for a key do not call the command one after another."""
    key.write_script("exit 1")
    target = find_by_command(endpoint, key)

    async def ask_each() -> list[Answer | BaseException]:
        client = Client(target, Patience(60, 0), is_proven=True, slots=Slots(1000), notify=print)
        asking = [client.ask([{"role": "user", "content": f"Question {n}"}]) for n in range(1, 9)]
        try:
            return await asyncio.gather(*asking, return_exceptions=True)
        finally:
            await client.close()

    assert [type(outcome) for outcome in asyncio.run(ask_each())] == [UserMistake] * 8
    assert key.call_count == 1


def test_a_failing_command_is_a_mistake_at_first(endpoint: FakeEndpoint, key: ExpiringKey) -> None:
    """Found before the first question; nothing was sent."""
    key.write_script("echo cannot log in: Bearer abc >&2; exit 3")
    with pytest.raises(UserMistake, match=r"api_key: the command .*print-key failed with exit code 3: cannot log in: \*\*\*$"):
        check(find_by_command(endpoint, key))
    assert endpoint.keys == set()


def test_a_failing_command_stops_a_run(endpoint: FakeEndpoint, key: ExpiringKey) -> None:
    """When the key has expired; what it says holds neither the old key nor the new one."""

    def expire() -> None:
        key.replace()
        key.write_script(f"echo {key.all[1]}; echo 'no {key.all[1]} for {key.all[0]}' >&2; exit 1")

    with pytest.raises(EndpointStop, match=r"exit code 1: no \*\*\* for \*\*\*; the generator does not accept"):
        ask(find_by_command(endpoint, key), count=8, between=expire)
    assert key.call_count == 2


def test_no_key_is_shown(endpoint: FakeEndpoint, key: ExpiringKey) -> None:
    """Neither the new one nor the old one, in what the endpoint says and in what stands for the endpoint."""
    endpoint.rule = lambda _: completion(f"The answer is B. {' '.join(key.all)}")
    target = find_by_command(endpoint, key)
    [answer] = ask(target, between=key.replace)
    assert answer.text == "The answer is B. *** ***"
    renewed = target.with_keys(target.sources.read()) if target.sources else target
    assert renewed.scrub_words(" ".join(key.all)) == f"{key.all[0]} ***"
    assert [each for each in key.all if each in repr(renewed) + repr(renewed.sources) + repr(renewed.in_clear)] == []


def test_a_key_that_is_refused_with_the_list_is_read_again(endpoint: FakeEndpoint, key: ExpiringKey) -> None:
    """Before the first question; once, and then the message names the key."""
    key.write_script(f"echo wrong-$(wc -l < '{key.calls}')")
    endpoint.models = error(401, "expired")
    with pytest.raises(UserMistake, match=r"answered 401: expired; .*print-key \(see model.generator_settings\)$"):
        check(find_by_command(endpoint, key))
    assert key.call_count == 2
