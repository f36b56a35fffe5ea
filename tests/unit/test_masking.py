"""No secret is in what is written or said: masked by its name in settings, by itself in text from elsewhere."""

import base64
import html
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.config.secrets import MASK, Scrubber, list_secrets, mask_secrets, mask_urls
from tasks.evaluation.endpoints.endpoint import Endpoint, list_key_warnings
from tasks.evaluation.errors import UserMistake

KEY = "sk-very/secret+key&1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_key", KEY),
        ("X-API-Key", KEY),
        ("Authorization", f"Bearer {KEY}"),
        ("x-auth", KEY),
        ("hf_token", KEY),
        ("Ocp-Apim-Subscription-Key", [KEY]),
        ("client_secret", {"value": KEY}),
        ("header", f"basic {KEY}"),
        ("proxy", f"http://me:{KEY}@host:80"),
        ("url", f"https://host/v1?code={KEY}&{KEY}"),
    ],
)
def test_a_secret_setting_is_masked(name: str, value: object) -> None:
    """By its name, by the form of its value, or by its place in a URL."""
    masked = mask_secrets({"extra": [{name: value}]})  # type: ignore[dict-item]
    assert KEY not in str(masked)
    assert MASK in str(masked)


@pytest.mark.parametrize(
    "settings",
    [
        {"max_tokens": 64, "seed": 1, "api_key": "${NAME}", "token": "secret:block"},
        {"base_url": "https://host/v1?api-key=${NAME}", "stop": ["a@b", "?x=1"], "trust_remote_code": True},
    ],
)
def test_what_is_no_secret_is_kept(settings: dict[str, object]) -> None:
    """References to a secret's place, numbers, and text that is no URL."""
    assert mask_secrets(settings) == settings  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("see http://a:b@h/v1 and mail me@h", "see http://***@h/v1 and mail me@h"),
        ("http://a:p@s/w?d@h:80/v1", "http://***@h:80/v1"),
        ("'http://h/v1?key=a&b=c'", "'http://h/v1?key=***&b=***'"),
        ("http://h/v1?abc", "http://h/v1?***"),
        ("is 1 < 2? a=b", "is 1 < 2? a=b"),
        ("http://@h/v1", "http://@h/v1"),
        ("://" * 100_000, "://" * 100_000),
    ],
)
def test_urls_in_text_lose_their_secrets(text: str, masked: str) -> None:
    """And nothing else."""
    assert mask_urls(text) == masked


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "form",
    [
        str,
        lambda key: quote(key, safe=""),
        json.dumps,
        html.escape,
        lambda key: encode(f"Bearer {key}"),
        lambda key: encode(f"user:{key}"),
        lambda key: base64.urlsafe_b64encode(f"a{key}".encode()).decode(),
    ],
)
def test_a_repeated_key_is_found_in_every_form(form: Callable[[str], str]) -> None:
    """As servers write it into their errors."""
    scrubbed = Scrubber([KEY])(f"bad key: {form(KEY)}!")
    assert MASK in scrubbed
    assert KEY[3:-3] not in scrubbed
    assert encode(KEY)[4:-4] not in scrubbed


@given(st.binary(max_size=6), st.text("abcXYZ019+/-_", min_size=8, max_size=40), st.binary(max_size=6))
def test_base64_hides_no_key(before: bytes, key: str, behind: bytes) -> None:
    """Wherever in the encoded bytes it stands."""
    assert MASK in Scrubber([key])(base64.b64encode(before + key.encode() + behind).decode())


def test_a_short_word_is_no_secret() -> None:
    """`none` and `x` are keys of endpoints that need none, and words of any text."""
    assert Scrubber(["none", "x", ""])("none of the boxes") == "none of the boxes"
    assert Scrubber(["EMPTY"], shortest=16)("EMPTY") == "EMPTY"


def test_the_secrets_of_settings_are_found() -> None:
    """With the key behind `Bearer` by itself."""
    settings = {"top_p": 0.9, "user": {"api-key": ["k1", {"any": "k2"}]}, "header": f"Bearer {KEY}"}
    assert list(list_secrets(settings)) == ["k1", "k2", f"Bearer {KEY}", KEY]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "settings",
    [
        "{{model: m, api_key:{key}}}",
        "{{model: m, api_key: !{key} }}",
        "{{model: m, api_key: *{key} }}",
        "{{model: m, api_key: [{key}]}}",
        "{{model: m, base_url: '{key}'}}",
        "{{model: m, base_url: 'http://me:{key}@host/v1'}}",
        "{{model: m, base_url: 'me:{key}@host/v1'}}",
        "{{model: m, base_url: 'ftp://host/v1?key={key}'}}",
        "{{model: m, extra: 'api_key={key}'}}",
        "'api_key: {key}'",
        "[{{api_key: {key}}}]",
    ],
)
def test_a_mistake_is_told_without_the_key(folder: Path, settings: str) -> None:
    """A slip of the pen beside a key, or the key in the wrong place."""
    key = "verysecret123"
    Path("config.yaml").write_text(f"questions_file: e.json\nmodel: {{generator_settings: {settings.format(key=key)}}}\n")
    with pytest.raises(UserMistake) as caught:
        load_config("config.yaml", Overrides())
    assert key not in str(caught.value)


def test_a_file_that_is_a_key_is_told_without_it(folder: Path) -> None:
    """The wrong file behind --config."""
    Path("key").write_text("OPENAI_API_KEY=verysecret123\n")
    with pytest.raises(UserMistake, match="only a text") as caught:
        load_config("key", Overrides())
    assert "verysecret123" not in str(caught.value)


@pytest.mark.parametrize("key", ["$2b$10$verysecret123", "secret:", "${verysecret123}"])
def test_a_reference_that_leads_nowhere_is_told_without_it(key: str) -> None:
    """It may be the key itself."""
    with pytest.raises(UserMistake, match=r"a\.api_key") as caught:
        KeyReader({}, str).read(key, "a.api_key", None)
    assert "verysecret123" not in str(caught.value)


def test_a_key_in_an_address_is_read_where_it_is_kept() -> None:
    """Of a query's values the references are read; a key in clear is noticed, other values are left alone."""
    keys = KeyReader({"NAME": KEY}, str)
    assert keys.read_url("http://h/v1?v=1&code=${NAME}", "url") == f"http://h/v1?v=1&code={quote(KEY, safe='')}"
    assert keys.read_url("http://h/v1?v=1", "url") == "http://h/v1?v=1"
    assert not keys.found_plain
    keys.read_url("http://h/v1?api-key=k", "url")
    assert keys.found_plain


@pytest.mark.parametrize(
    ("url", "key", "is_warned"),
    [
        ("http://endpoint.example/v1", KEY, True),
        ("http://10.0.0.7:8000/v1", KEY, True),
        ("http://endpoint.example/v1?api-key=k", "none", True),
        ("http://endpoint.example/v1", "none", False),
        ("https://endpoint.example/v1", KEY, False),
        ("http://localhost:8000/v1", KEY, False),
        ("http://127.0.0.2/v1", KEY, False),
        ("http://[::1]:8000/v1", KEY, False),
        ("http://0.0.0.0:8000/v1", KEY, False),
        (None, KEY, False),
    ],
)
def test_a_key_that_others_can_read_on_its_way_is_told(url: str | None, key: str, *, is_warned: bool) -> None:
    """By host, never with the key; to this machine itself nobody listens."""
    warnings = list_key_warnings([Endpoint("generator", url, key, {}), None], found_plain=False)
    assert bool(warnings) == is_warned
    assert KEY not in str(warnings)


def test_each_host_is_told_once() -> None:
    """In one line for generator and grader; a key in clear has its own."""
    endpoint = Endpoint("generator", "http://h/v1", KEY, {})
    assert len(list_key_warnings([endpoint, endpoint], found_plain=False)) == 1
    assert list_key_warnings([endpoint, endpoint], found_plain=False)[0].count(" h ") == 1
    assert len(list_key_warnings([endpoint], found_plain=True)) == 2
