"""What was run: the facts about each run, the settings in which the runs differ, their cost, and what they lack."""

from dataclasses import dataclass
from pathlib import Path

from tasks.evaluation.comparing.comparability import NO_CONTEXT, describe_context, describe_grading
from tasks.evaluation.comparing.run_figures import ComparedRun
from tasks.evaluation.json_lines import JsonObject, JsonValue, to_line
from tasks.evaluation.pages.gathering import Findings
from tasks.evaluation.pages.run_sheets import RunSheet
from tasks.evaluation.pages.wording import NOTHING, format_count, format_ends, read_date
from tasks.evaluation.reporting.cost_report import read_total
from tasks.evaluation.reporting.saved_runs import SavedRun, read_setting
from tasks.evaluation.spending.costs import UNKNOWN_COST, format_dollars
from tasks.evaluation.spending.tokens import NONE_REPORTED, ROLES

SHOWN_REASONS = 6
RETRIEVAL = "retrieval"
PROMPTS = {"system": "System message", "mc": "Prompt for multiple choice", "qa": "Prompt for short answers"}
# The settings of the original scorer's files that decide about answers and scores.
ORIGINAL_SETTINGS = (
    ("model", "generator_settings", "temperature"),
    ("model", "generator_settings", "max_tokens"),
    ("model", "grader_shortname"),
    ("rag", "use_context_field"),
    ("processing", "question_format"),
)
# Settings that facts of their own tell.
TOLD = ("model", "prompt", "grading", "grader", "grader_shortname", "repeats", "fields.group_by", "fields.cluster_by")


@dataclass(frozen=True)
class Fact:
    """A fact about every run."""

    name: str
    """What it is about."""
    values: tuple[str, ...]
    """Its value in each run."""

    @property
    def is_same(self) -> bool:
        """Return True if it is the same in all runs."""
        return len(set(self.values)) == 1


@dataclass(frozen=True)
class Missing:
    """What a run lacks."""

    counts: tuple[tuple[str, int], ...]
    """Why questions have no score, with how many; without zeros."""
    bounds: str
    """The accuracy if all of these had been wrong, and if all had been right."""
    reasons: tuple[tuple[str, int], ...]
    """The most frequent reasons, with how often each came."""
    other_count: int
    """How many questions have a reason that is not among these."""


def list_facts(findings: Findings) -> list[Fact]:
    """Return what was run; what no run's file says is left out."""
    runs, sheets = findings.runs, findings.sheets
    contexts = tuple(map(describe_context, runs))
    facts = [
        Fact("Model", tuple(run.model for run in runs)),
        Fact(
            "Questions", tuple(_describe_questions(run, figures) for run, figures in zip(runs, findings.figures, strict=True))
        ),
        Fact("Started", tuple(map(read_date, runs))),
        Fact("Graded", tuple(map(describe_grading, runs))),
        *([Fact("Context", contexts)] if set(contexts) != {NO_CONTEXT} else []),
        Fact("Asked", tuple("" if repeats == 1 else f"{repeats} times each" for repeats in map(_count_repeats, sheets))),
        Fact("Temperature", tuple(_show(_read_sampling(run, "temperature")) for run in runs)),
        Fact("Longest answer", tuple(_describe_limit(_read_sampling(run, "max_tokens")) for run in runs)),
        Fact("Cost", _describe_costs(runs)),
        Fact("Results", tuple(run.path.name for run in runs)),
    ]
    return [fact for fact in facts if any(fact.values)]


def list_prompts(findings: Findings) -> list[Fact]:
    """Return the words in which the questions were asked, with placeholders; what no run was asked with is left out."""
    formats = {letter for sheet in findings.sheets for letter in set(sheet.formats.tolist())}
    kinds = ["system", *(["mc"] if "m" in formats else []), *(["qa"] if "q" in formats else [])]
    facts = [
        Fact(
            PROMPTS[kind],
            tuple(_show(read_setting(run.metadata, "evaluation_metadata", "prompt", kind)) for run in findings.runs),
        )
        for kind in kinds
    ]
    return [fact for fact in facts if any(fact.values)]


def list_differences(runs: tuple[SavedRun, ...]) -> list[Fact]:
    """Return the settings in which the runs differ, beyond what `list_facts` and `list_prompts` tell."""
    settings = [_flatten(_read_settings(run)) for run in runs]
    names = dict.fromkeys(name for each in settings for name in each)
    # Where one run retrieves and another does not, the fact `Context` says so.
    also_told = () if all(RETRIEVAL in _read_settings(run) for run in runs) else ("context", RETRIEVAL)
    told = tuple(name for name in names if {name, name.partition(".")[0]} & {*TOLD, *also_told})
    facts = [Fact(name, tuple(each.get(name, "") for each in settings)) for name in names if name not in told]
    return [fact for fact in facts if not fact.is_same and fact.name not in ("temperature", "max_tokens")]


def list_tokens(findings: Findings) -> list[tuple[int, str, list[str]]]:
    """Return a row for each run and role: the run's place, the role, then prompt, completion, total, and total per question."""
    rows = []
    for run, sheet in enumerate(findings.sheets):
        for role in ROLES:
            tokens = sheet.tokens[role]
            if tokens.counted:
                sums = [tokens.prompt, tokens.completion, tokens.total, round(tokens.total / tokens.counted)]
                rows.append((run, str(role), list(map(format_count, sums))))
    return rows or [(run, NONE_REPORTED, [NOTHING] * 4) for run in range(len(findings.runs))]


def describe_missing(figures: ComparedRun, sheet: RunSheet) -> Missing | None:
    """Return what a run lacks; None if nothing."""
    if not figures.missing_count:
        return None
    counts = {"refused": figures.refused, "cannot be asked": figures.unusable, "not scored yet": figures.unscored}
    reasons = sheet.reasons.most_common(SHOWN_REASONS)
    return Missing(
        counts=tuple((name, count) for name, count in counts.items() if count),
        bounds=format_ends(figures.bounds),
        reasons=tuple((sheet.examples[kind], count) for kind, count in reasons),
        other_count=figures.refused + figures.unusable - sum(count for _, count in reasons),
    )


def _describe_costs(runs: tuple[SavedRun, ...]) -> tuple[str, ...]:
    """Return what each run's results have cost; nothing if that is not known of any."""
    totals = [read_total(run.metadata) for run in runs]
    if all(total is None for total in totals):
        return ("",) * len(runs)
    return tuple(UNKNOWN_COST if total is None else format_dollars(total) for total in totals)


def _describe_questions(run: SavedRun, figures: ComparedRun) -> str:
    chosen = run.provenance.selection
    name = Path(run.questions_file).name or "unknown file"
    if chosen.shard:
        return f"{name}: shard {chosen.shard}, {format_count(figures.selected)} of {format_count(chosen.whole_count or 0)}"
    if chosen.random_selection:
        return f"{name}: a random {format_count(figures.selected)} (seed {chosen.random_seed})"
    if chosen.limit:
        return f"{name}: the first {format_count(figures.selected)}"
    return f"{name}: all {format_count(figures.selected)}" if chosen.file_count else f"{name}: {format_count(figures.selected)}"


def _count_repeats(sheet: RunSheet) -> int:
    return max(1, sheet.scores.repeat_scores.shape[1])


def _read_sampling(run: SavedRun, name: str) -> JsonValue:
    settings = run.provenance.settings
    return settings.get(name) if name in settings else read_setting(run.config, "model", "generator_settings", name)


def _describe_limit(value: JsonValue) -> str:
    return f"{format_count(value)} tokens" if isinstance(value, int) else ""


def _read_settings(run: SavedRun) -> JsonObject:
    """Return the settings that decide about answers and scores."""
    if run.provenance.settings:
        return run.provenance.settings
    return {".".join(keys): read_setting(run.config, *keys) for keys in ORIGINAL_SETTINGS}


def _flatten(settings: JsonObject, prefix: str = "") -> dict[str, str]:
    """Return the settings by their dotted names, as texts."""
    flat: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, dict) and value:
            flat |= _flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = _show(value)
    return flat


def _show(value: JsonValue) -> str:
    if value is None or value in ({}, []):
        return ""
    return value if isinstance(value, str) else to_line({"": value})[4:-1].decode()
