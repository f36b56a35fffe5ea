"""The `fields` block of the settings: which field of a record holds what."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

AnswerKind = Literal["letter", "number", "index", "text", "flags"]


class Fields(BaseModel):
    """Which field of a record holds what. A dot leads into an object: `context.contexts`."""

    model_config = ConfigDict(extra="forbid")

    columns: list[str] | None = Field(
        default=None, min_length=2, description="The names of a CSV file's columns, in order, if it has no header row."
    )
    question: str | None = Field(default=None, description="The question.")
    choices: list[str] | None = Field(
        default=None, description="The choices: one field that holds them all, or a list of fields that hold one each."
    )
    answer: str | None = Field(default=None, description="The right answer.")
    answer_is: AnswerKind | None = Field(
        default=None,
        description="How the answer names its choice: its letter, its number from 1, its index from 0, its text, or flags: "
        "a 1 for each right choice among 0s. Empty: as it is written, if that can be read in one way only.",
    )
    accepted: str | None = Field(default=None, description="Further answers that count as right, for short answers.")
    context: str | None = Field(default=None, description="What the question is asked with if use_context_field is set.")
    fixed_choices: list[str] | None = Field(
        default=None, min_length=2, description="The choices of every question, if the file does not hold them."
    )
    shuffle_choices: bool | Literal["each_repeat"] | None = Field(
        default=None,
        description="Put the choices into an order of their own, the same in every run. Empty: only if flags say which is "
        "right, since such files put the right one first. each_repeat: in another order in each of processing.repeats.",
    )
    carried: list[str] | None = Field(
        default=None, description="The fields that results carry along. Empty: all that are not named above."
    )
    group_by: str | None = Field(default=None, description="Report the accuracy for each value of this field as well.")
    cluster_by: str | None = Field(
        default=None,
        description="Questions with the same value of this field depend on each other, such as those about one passage; the "
        "intervals allow for that.",
    )

    @field_validator("choices", mode="before")
    @classmethod
    def _list_choices(cls, choices: JsonValue) -> JsonValue:
        return [choices] if isinstance(choices, str) else choices

    @field_validator("fixed_choices", mode="before")
    @classmethod
    def _refuse_booleans(cls, choices: JsonValue) -> JsonValue:
        if isinstance(choices, list) and any(isinstance(choice, bool) for choice in choices):
            raise ValueError("YAML takes yes and no for true and false: write them in quotes")
        return choices

    @property
    def reorders_choices(self) -> bool:
        """Return True if each repeat of a question shows its choices in another order."""
        return self.shuffle_choices == "each_repeat"

    @property
    def named(self) -> list[str]:
        """Return all record fields that the settings name."""
        single = (self.question, self.answer, self.accepted, self.context, self.group_by, self.cluster_by)
        return [name for name in (*single, *(self.choices or []), *(self.carried or [])) if name]
