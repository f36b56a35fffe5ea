"""What to change if an endpoint declines every request: lines of YAML, found from its words about the first of them.

Endpoints differ in which settings they accept, and in how they report the others. So this module only makes suggestions;
whether a request was declined is decided in `failures`, by its status.
"""

import json
import re

from tasks.evaluation.config.secrets import mask_secrets
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.described import GRADER_REQUEST
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.spending.usage import count_reasoning

# The settings of a generator that are not under `extra`.
OWN_SETTINGS = ("temperature", "max_tokens")
# What o-series and gpt-5 models want in place of max_tokens.
SUCCESSOR = "max_completion_tokens"
# What servers say about a setting that they do not accept.
IS_DECLINED = re.compile(r"(?i)support|allow|permit|recogni[sz]ed|unknown|unexpected|deprecated|only the default|must be")
TOO_LONG = re.compile(r"(?i)context[ _](?:length|size|window)|exceed_context|too large|at most \d+ completion tokens")
CONTEXT = re.compile(
    r"(?i)context[ _]?(?:length|size|window)|exceed_?context|(?:prompt|input|request)[ _](?:is )?too[ _](?:long|large)"
    r"|(?:input|prompt)[ _](?:token|length)|input length|token count|tokens? allowed|maximum prompt|less than \d+ tokens"
    r"|inputs?`? ?(?:tokens )?\+ ?`?max_new_tokens|reduce the length|context the overflows"
)
NUMBER = re.compile(r"\d[\d,]*")
LIMITS = ("max_tokens", "max_completion_tokens")
NO_TEMPLATE = re.compile(r"(?i)chat[ _]template")
NO_SYSTEM_ROLE = re.compile(r"(?i)system (?:role|messages?|prompt)|role 'system'|roles must alternate")


def advise(endpoint: Endpoint, words: str, parameter: str | None) -> str:
    """Return the change that the server's words suggest, as a sentence or as lines of YAML; empty if they suggest none.

    Args:
        endpoint: what was asked, and with which settings.
        words: the server's words.
        parameter: the setting that the server names as the cause, if it does.
    """
    if TOO_LONG.search(words):
        return f"The question and its answer must fit into the model's context: lower max_tokens, in {endpoint.origin}."
    if changes := _find_changes(endpoint.request, words, parameter):
        if "response_format" in changes and endpoint.role == "grader":
            return "This model cannot be held to the form of a verdict: name another grader (model.grader_shortname)."
        return f"Change in {endpoint.origin}:\n{_make_yaml(endpoint, changes)}"
    if NO_TEMPLATE.search(words):
        return (
            "The model has no chat template, as base models have none: ask its instruct version, or start its server with one."
        )
    if NO_SYSTEM_ROLE.search(words):
        return f"The model takes no system message: name another {endpoint.role}, or send it none."
    return ""


def describe_reasoning(endpoint: Endpoint, answer: Answer) -> str:
    """Return what to say about an answer whose words are all reasoning, with the settings that help."""
    more = next((name for name in LIMITS if name in endpoint.request), "max_tokens")
    cut = " and was cut there" if answer.is_truncated else ""
    tokens = count_reasoning(answer.usage)
    hidden = f"spent {tokens:,} tokens on reasoning" if tokens else "wrote nothing"
    spent = f"wrote {len(answer.reasoning):,} characters of reasoning" if answer.reasoning else hidden
    return (
        f"The {endpoint.role} {spent}{cut}, and no answer. In "
        f"{endpoint.origin}, raise {more}, or let the model reason less: extra: {{reasoning_effort: low}}, or "
        "extra: {chat_template_kwargs: {enable_thinking: false}}."
    )


def mentions_context(words: str) -> bool:
    """Return True if the words say that a question does not fit into the model's context."""
    return bool(CONTEXT.search(words))


def exceeds_context_by_setting(endpoint: Endpoint, words: str) -> bool:
    """Return True if the configured limit alone fills the context that the words name, so that no question fits."""
    limit = next((endpoint.request[name] for name in LIMITS if name in endpoint.request), None)
    numbers = [int(found.replace(",", "")) for found in NUMBER.findall(words)]
    sizes = [number for number in numbers if number > 1]  # "should be [1, 30720]"
    return isinstance(limit, int) and bool(sizes) and limit >= sizes[0]


def _find_changes(request: JsonObject, words: str, parameter: str | None) -> JsonObject:
    """Return the settings to change, with their new values; None for one that is not to be sent at all."""
    if SUCCESSOR in words and "max_tokens" in request and SUCCESSOR not in request:
        # Servers name one setting at a time, but the models that refuse max_tokens refuse temperature as well.
        also: JsonObject = {"temperature": None} if "temperature" in request else {}
        return {**also, "max_tokens": None, SUCCESSOR: request["max_tokens"]}
    if "top_logprobs" in request and "logprobs" in words and (most := _find_lower(request["top_logprobs"], words)):
        return {"top_logprobs": most}
    if parameter in request and parameter != "model":
        return {str(parameter): None}
    return {name: None for name in request if name != "model" and IS_DECLINED.search(words) and _is_named(name, words)}


def _find_lower(sent: JsonValue, words: str) -> int | None:
    """Return the largest number in the words that is lower than what was sent."""
    numbers = [int(found.replace(",", "")) for found in NUMBER.findall(words)]
    return max((number for number in numbers if isinstance(sent, int) and 0 < number < sent), default=None)


def _is_named(name: str, words: str) -> bool:
    """Return True if the words speak of the setting, and do not just hold a word that is spelt like it (`stop`, `user`)."""
    is_plain = name != "temperature" and "_" not in name
    pattern = rf"['\"`]{re.escape(name)}['\"`]|\b{re.escape(name)}=" if is_plain else rf"\b{re.escape(name)}\b"
    return bool(re.search(pattern, words))


def _make_yaml(endpoint: Endpoint, changes: JsonObject) -> str:
    """Return the settings as the file is to hold them after the change: `extra` whole, as one line."""
    changed = {name: value for name, value in {**endpoint.request, **changes}.items() if name != "model"}
    if endpoint.role == "grader":
        # The settings that every grader gets are in no file; an entry's `extra` replaces them, or drops one with null.
        taken_away: JsonObject = {name: None for name in GRADER_REQUEST if name not in changed}
        extra = {name: value for name, value in changed.items() if GRADER_REQUEST.get(name) != value}
        return _dump({"extra": {**taken_away, **extra}})
    lines: JsonObject = {name: None for name in OWN_SETTINGS if name in changes}
    extra = {name: value for name, value in changed.items() if name not in OWN_SETTINGS and value is not None}
    return _dump({**lines, "extra": extra} if extra or changes.keys() - set(OWN_SETTINGS) else lines)


def _dump(lines: JsonObject) -> str:
    """Return a line for each setting; its value is JSON, which is YAML too and fits on one line."""
    return "\n".join(f"  {name}: {json.dumps(mask_secrets(value), ensure_ascii=False)}" for name, value in lines.items())
