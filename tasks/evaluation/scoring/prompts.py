"""The messages that ask the generator a question, in our own words or the user's."""

from tasks.evaluation.config.prompt_settings import BUILT_IN, Kind, Prompt
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.questions import Question

ORIGINAL = Prompt(mc="original", qa="original")
QUESTION_ALONE = "{question}"
WITH_CONTEXT: dict[Kind, str] = {
    "mc": """\
Context:
{context}

Question:
{question}

Answer the question from the context above by selecting the right option.""",
    "qa": """\
Context:
{context}

Question:
{question}

Answer the question from the context above.""",
}
# The text around the question, `{body}`. The request comes first: small models then give fewer replies that choose nothing.
FRAMES = {
    "choice": 'Answer the multiple-choice question below. End your reply with "ANSWER: " and one of {letters}.\n\n{body}',
    "choices": """\
Answer the multiple-choice question below, in which several choices are right. End your reply with "ANSWER: " and all of \
{letters} that are right, with commas between them.

{body}""",
    "qa": 'Answer the question below. End your reply with "ANSWER: " and the answer in a few words.\n\n{body}',
    "label": "{body}\n\nReply with one of {letters} and nothing else.",
}


def generator_messages(question: Question, prompt: Prompt = ORIGINAL) -> list[Message]:
    """Return the messages that ask the question."""
    user: Message = {"role": "user", "content": _fill(question, prompt)}
    return [{"role": "system", "content": prompt.system}, user] if prompt.system else [user]


def describe_prompt(prompt: Prompt, *, has_context: bool) -> JsonObject:
    """Return the texts that are sent, with placeholders in braces: `system`, and the user messages `mc` and `qa`."""
    texts: JsonObject = {kind: _choose_text(prompt, kind, has_context=has_context) for kind in BUILT_IN}
    return {"system": prompt.system, **texts}


def _fill(question: Question, prompt: Prompt) -> str:
    if question.format == "mc" and not question.choices and prompt.mc in BUILT_IN["mc"]:
        prompt = ORIGINAL
    text = _choose_text(prompt, question.format, has_context=bool(question.context))
    if text == QUESTION_ALONE:
        return question.text
    if question.wants_several:
        text = _choose_text(prompt, question.format, has_context=bool(question.context), several=True)
    return text.format(
        question=question.text,
        context=question.context,
        stem=question.stem,
        choices=_list_choices(question) if "{choices" in text else "",
        letters=", ".join(question.choices),
    )


def _list_choices(question: Question) -> str:
    return "\n".join([f"{label}) {choice}" for label, choice in question.choices.items()])


def _choose_text(prompt: Prompt, kind: Kind, *, has_context: bool, several: bool = False) -> str:
    """Return the text, with placeholders, for such a question; `several` if more than one of its choices is right."""
    given = (prompt.mc if kind == "mc" else prompt.qa) or "original"
    if given not in BUILT_IN[kind]:
        return given
    body = WITH_CONTEXT[kind] if has_context else QUESTION_ALONE
    if given == "original":
        return body
    frames = {"label": "label", "default": "qa" if kind == "qa" else "choices" if several else "choice"}
    return FRAMES[frames[given]].replace("{body}", body)
