"""What the generator is asked: a question's text becomes chat messages."""

from typing import Literal, TypedDict

from tasks.evaluation.questions import Question


class Message(TypedDict):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


CONTEXT_PROMPT = """\
Context:
{context}

Question:
{question}

{request}"""
REQUESTS = {
    "mc": "Answer the question from the context above by selecting the right option.",
    "qa": "Answer the question from the context above.",
}


def generator_messages(question: Question) -> list[Message]:
    """The messages that ask the question: its text as it stands, or with its context around it."""
    if not question.context:
        return [{"role": "user", "content": question.text}]
    content = CONTEXT_PROMPT.format(context=question.context, question=question.text, request=REQUESTS[question.format])
    return [{"role": "user", "content": content}]
