"""What a run has cost in US dollars, for its files and for people."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.spending.costs import CostSum, CostSums, add_up_roles, format_dollars
from tasks.evaluation.spending.pricing import Pricing
from tasks.evaluation.spending.tokens import Role
from tasks.evaluation.statistics.accuracy import Accuracy

THE_ENDPOINT = "the endpoint"


@dataclass(frozen=True)
class CostReport:
    """What was paid, and for what."""

    this_run: CostSums
    """What the run has paid, also for replies that could not be used."""
    all_results: CostSums
    """What all answers and grades in the file have cost, whichever run paid for them."""
    pricing: Mapping[Role, Pricing]
    """Where the prices are from."""
    answered: int
    """The number of questions with a result, refused ones included."""
    accuracy: Accuracy | None
    """The accuracy of those that are scored."""

    @property
    def per_1000_questions(self) -> float | None:
        """Return what a thousand questions have cost; None if that is not known."""
        return _divide(add_up_roles(self.all_results).total, self.answered / 1_000)

    @property
    def per_right_answer(self) -> float | None:
        """Return what a score of 1 has cost; None if that is not known."""
        return _divide(add_up_roles(self.all_results).total, self.accuracy.score_sum if self.accuracy else 0.0)

    def to_json(self) -> JsonObject:
        """Return the costs as files hold them: dollars, null where some replies' cost is unknown."""
        return {
            "currency": "USD",
            "prices": {role: self._find_source(role) for role in self.pricing},
            "this_run": _sums_to_json(self.this_run),
            "all_results": _sums_to_json(self.all_results),
            "per_1000_questions": self.per_1000_questions,
            "per_right_answer": self.per_right_answer,
        }

    def _find_source(self, role: Role) -> str:
        """Return who says what a model's replies cost."""
        has_said = any(role in sums and sums[role].known for sums in (self.this_run, self.all_results))
        return THE_ENDPOINT if has_said and self.pricing[role].prices is None else self.pricing[role].source

    def describe(self) -> dict[str, str]:
        """Return the costs by their names, for people; empty if nobody knows any."""
        run, results = add_up_roles(self.this_run), add_up_roles(self.all_results)
        if not run.known and not results.known:
            return {}
        shares = {"for 1,000 questions": self.per_1000_questions, "for each right answer": self.per_right_answer}
        known = [f"{format_dollars(share)} {name}" for name, share in shares.items() if share is not None]
        return {
            "Cost, this run": _describe(self.this_run, run),
            "Cost, all results": ", ".join([_describe(self.all_results, results), *known]),
        }


def read_total(metadata: JsonObject) -> float | None:
    """Return what all results of a file have cost; None if its metadata does not say."""
    cost: JsonValue = metadata.get("cost")
    results = cost.get("all_results") if isinstance(cost, dict) else None
    total = results.get("total") if isinstance(results, dict) else None
    return float(total) if isinstance(total, int | float) and not isinstance(total, bool) else None


def _describe(sums: CostSums, total: CostSum) -> str:
    parts = [f"{role} {format_dollars(each.dollars)}" for role, each in sums.items() if each.known]
    return f"{total} ({' + '.join(parts)})" if len(parts) > 1 else str(total)


def _sums_to_json(sums: CostSums) -> JsonObject:
    total = add_up_roles(sums)
    return {**{role: each.total for role, each in sums.items()}, "total": total.total, "unknown_count": total.unknown}


def _divide(total: float | None, count: float) -> float | None:
    return total / count if total is not None and count else None
