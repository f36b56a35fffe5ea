"""A suite of two models, two files of questions and two conditions, and an endpoint that tells its cells apart."""

import re
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

from tests.support.fake_endpoint import (
    LETTERS,
    FakeEndpoint,
    Reply,
    answer_by_rule,
    completion,
    error,
    make_questions,
    prompt_of,
    write_config,
    write_questions,
)

COUNT = 12
SUITE = """
config: config.yaml
models: [small, {name: big, generator_settings: {model: large}}]
questions: [astro.json, {name: bio, questions_file: biology.json}]
conditions: {cold: {}, warm: {model: {generator_settings: {temperature: 0.7}}}}
exclude: []
parallel_cells: 3
"""
CELLS = [",".join(names) for names in product(("small", "big"), ("astro", "bio"), ("cold", "warm"))]


def write_suite(folder: Path, endpoint: FakeEndpoint, count: int = COUNT) -> str:
    """Write the suite with all its files; return its name."""
    write_questions(folder, make_questions(count), "astro.json")
    write_questions(folder, make_questions(count, first=101), "biology.json")
    write_config(folder, endpoint.url, parallel_workers=4)
    (folder / "suite.yaml").write_text(SUITE)
    return "suite.yaml"


def name_cell(body: dict[str, Any]) -> str:
    """Return the cell that the request belongs to."""
    model = "big" if body["model"] == "large" else "small"
    questions = "bio" if re.search(r"Question \d{3}", prompt_of(body)) else "astro"
    return f"{model},{questions},{'warm' if body['temperature'] else 'cold'}"


def count_asked(endpoint: FakeEndpoint) -> "Counter[tuple[str, str]]":
    """Return how often each question of each cell was asked."""
    return Counter((name_cell(body), prompt_of(body)) for body in list(endpoint.bodies))


def spoil(endpoint: FakeEndpoint, cell: str) -> None:
    """Make the endpoint choose wrongly in this cell."""

    def rule(body: dict[str, Any]) -> Reply:
        number = int(re.findall(r"Question (\d+)", prompt_of(body))[0])
        wrong = completion(f"The answer is {LETTERS[(number + 2) % 4]}.")
        return wrong if name_cell(body) == cell else answer_by_rule(body)

    endpoint.rule = rule


def refuse(endpoint: FakeEndpoint, cell: str, after: int) -> None:
    """Make the endpoint refuse the key of this cell's requests for all questions but the first ones, up to this number."""

    def rule(body: dict[str, Any]) -> Reply:
        is_refused = name_cell(body) == cell and int(re.findall(r"Question (\d+)", prompt_of(body))[0]) > after
        return error(401, "no such key") if is_refused else answer_by_rule(body)

    endpoint.rule = rule
