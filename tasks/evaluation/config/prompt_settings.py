"""The settings for the words around each question: the name of a built-in prompt, or a text with placeholders.

    original    the question as it stands, or with its context, as the original script asks it
    default     the same, and how the reply must end so that the answer can be read
    label       the same, and a request for a choice's label alone, for grading by the first token

`prompts` makes them into the messages for a question.
"""

from string import Formatter
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Kind = Literal["mc", "qa"]

BUILT_IN: dict[Kind, tuple[str, ...]] = {"mc": ("default", "original", "label"), "qa": ("default", "original")}
PLACEHOLDERS: dict[Kind, tuple[str, ...]] = {
    "mc": ("question", "context", "stem", "choices", "letters"),
    "qa": ("question", "context"),
}


class Prompt(BaseModel):
    """The words around each question; a single name instead of the three settings is used for both `mc` and `qa`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mc: str | None = Field(default=None, description="For multiple choice: default, original, label, or a text of your own.")
    qa: str | None = Field(default=None, description="For short answers: default, original, or a text of your own.")
    system: str | None = Field(default=None, description="The system message, sent as it stands.")

    @model_validator(mode="before")
    @classmethod
    def _spread_name(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        if given not in BUILT_IN["qa"]:
            raise ValueError(f"{given!r} is no prompt: use default or original, or write your own under mc, qa and system")
        return {"mc": given, "qa": given}

    @field_validator("mc")
    @classmethod
    def _check_mc(cls, text: str | None) -> str | None:
        return _check(text, "mc")

    @field_validator("qa")
    @classmethod
    def _check_qa(cls, text: str | None) -> str | None:
        return _check(text, "qa")

    def complete(self, *, mc: str, qa: str) -> Self:
        """Return the same settings, with these names for what is not set."""
        return self.model_copy(update={"mc": self.mc or mc, "qa": self.qa or qa})

    def shows_context(self) -> bool:
        """Return True if the prompts of both formats show a question's context."""
        given: tuple[tuple[str | None, Kind], ...] = ((self.mc, "mc"), (self.qa, "qa"))
        own = [text for text, kind in given if text and text not in BUILT_IN[kind]]
        return all("context" in _read_placeholders(text) for text in own)


def list_formats(prompt: str) -> list[Kind]:
    """Return the formats that a built-in prompt, or a text with these placeholders, can ask; of an unusable text, both."""
    if prompt in BUILT_IN["mc"]:
        return [kind for kind, names in BUILT_IN.items() if prompt in names]
    try:
        own = _read_placeholders(prompt) & {*PLACEHOLDERS["mc"]}
    except ValueError:
        own = set()
    return [kind for kind, known in PLACEHOLDERS.items() if own <= {*known}]


def _check(text: str | None, kind: Kind) -> str | None:
    """Return the prompt, if a question can be asked with it.

    Raises:
        ValueError: it has an unknown placeholder, or none for the question.
    """
    if text is None or text in BUILT_IN[kind]:
        return text
    known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS[kind])
    try:
        names = _read_placeholders(text)
    except ValueError as error:
        raise ValueError(f"its braces do not match ({error}): write {{{{ and }}}} for literal braces") from None
    unknown = sorted(names - set(PLACEHOLDERS[kind]))
    if unknown:
        raise ValueError(f"there is no placeholder {{{unknown[0]}}}: known are {known}; write {{{{ and }}}} for literal braces")
    if not names & {"question", "stem"}:
        built_in = ", ".join(BUILT_IN[kind])
        raise ValueError(f"{text[:40]!r} has no {{question}}, so it asks nothing; built in are {built_in}")
    return text


def _read_placeholders(text: str) -> set[str]:
    """Return the placeholders as written between braces, with everything that follows their names."""
    parts = ((name, form, conversion) for _, name, form, conversion in Formatter().parse(text) if name is not None)
    return {name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "") for name, form, conversion in parts}
