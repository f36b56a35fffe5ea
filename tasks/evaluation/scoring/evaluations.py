"""The `evaluation` that results hold: what an answer is worth, and why. All graders produce the same form."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.questions.questions import Format

# The values for a choice that was not made; graders write the words.
NO_CHOICES = (None, "", "null", "none")


@dataclass(frozen=True)
class Evaluation:
    """The worth of one answer.

    Attributes:
        score: from 0 to 1.
        reasoning: why, in a sentence for people.
        format: the question's format.
        reference_choice: the choice that the reference names; several as "A, C", or as a judge writes them; None for a short
            answer.
        model_choice: the choice that the answer makes, in the same form; None if it makes no choice.
        is_truncated: the answer was cut off, and the missing part could have changed the score.
        short_match: the exact match and the token F1 of a short answer, unless a model has graded it.
        probabilities: the probability of each label as the first token of the answer, if these decide the score.
        is_clarified: the model was asked which choice it meant.
        clarification: its reply to that; None where it was not asked.
    """

    score: float
    reasoning: str
    format: Format
    reference_choice: JsonValue = None
    model_choice: JsonValue = None
    is_truncated: bool = False
    short_match: tuple[bool, float] | None = None
    probabilities: Mapping[str, float] | None = None
    is_clarified: bool = False
    clarification: str | None = None

    def to_json(self) -> JsonObject:
        """Return the evaluation as results hold it: the five documented fields, then the marks and measures that apply."""
        marks: JsonObject = {}
        if self.short_match:
            exact_match, f1 = self.short_match
            marks |= {"exact_match": int(exact_match), "f1": f1}
        if self.probabilities is not None:
            marks["probabilities"] = dict(self.probabilities)
        marks["truncated"] = self.is_truncated
        if self.format == "mc":
            marks["no_choice"] = self.model_choice in NO_CHOICES
        if self.is_clarified:
            marks |= {"clarified": True, "clarification": self.clarification}
        return {
            "reference_choice": self.reference_choice,
            "model_choice": self.model_choice,
            "score": int(self.score) if float(self.score).is_integer() else self.score,
            "reasoning": self.reasoning,
            "format": self.format,
            **marks,
        }
