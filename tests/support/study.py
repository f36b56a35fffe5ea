"""The README's study: three models, two files, two conditions, and an endpoint whose answers can be counted by hand."""

import re
import threading
from collections import Counter
from typing import Any

from tests.support.fake_endpoint import LETTERS, Reply, completion, error, make_questions, prompt_of, write_questions
from tests.support.served import Served

NAME = "study"
CELLS_AT_ONCE, WORKERS = 3, 2
MODELS, CONDITIONS = ("llama", "mistral", "qwen"), ("plain", "warm")
COUNTS = {"astro": 12, "bio": 20}
SUITE = """
config: {config}
models: [llama, mistral, qwen]
questions: [{{name: astro, questions_file: {folder}/astro.json}}, {{name: bio, questions_file: {folder}/bio.json}}]
conditions: {{plain: {{}}, warm: {{model: {{generator_settings: {{temperature: 0.7}}}}}}}}
parallel_cells: 3
"""
# The endpoint is wrong on questions whose number can be divided by this.
STEPS = {
    ("llama", "plain"): 2,
    ("llama", "warm"): 3,
    ("mistral", "plain"): 4,
    ("mistral", "warm"): 6,
    ("qwen", "plain"): 5,
    ("qwen", "warm"): 7,
}

# A model, a file and a condition; with a question's number.
Cell = tuple[str, str, str]
Asked = tuple[Cell, int]

LAST_CELL: Cell = ("qwen", "bio", "warm")
FIRST_QUESTIONS = 5


class Study:
    """The suite in the folder of a running `mcqa serve`, and what is asked for it.

    `hold` withholds the answers to a model's questions beyond a number, until `release`. In the last cell the endpoint serves
    the model for the first questions alone, as long as `serves_all` is false; `turned_away` holds the others that it was asked.
    """

    def __init__(self, served: Served) -> None:
        self.asked: Counter[Asked] = Counter()
        self.held: list[Asked] = []
        self.turned_away: list[Asked] = []
        self.serves_all = False
        self._release = threading.Event()
        self._lock = threading.Lock()
        self._holds: tuple[str, int] | None = None
        self._before = served.endpoint.rule
        config = served.write(NAME, parallel_workers=WORKERS)
        for file, count in COUNTS.items():
            questions = [{**each, "question": f"{each['question']} ({NAME} {file})"} for each in make_questions(count)]
            if file == "bio":
                questions.append({"question": "Which of these?\nA) one\nB) two"})
            write_questions(served.folder / NAME, questions, f"{file}.json")
        self.path = f"{NAME}/{NAME}.yaml"
        (served.folder / self.path).write_text(SUITE.format(config=config, folder=NAME))
        served.endpoint.rule = self._answer

    def hold(self, model: str, after: int) -> None:
        """Withhold the answers to this model's questions with a higher number."""
        self.held, self._release, self._holds = [], threading.Event(), (model, after)

    def release(self) -> list[Asked]:
        """Withhold no more; return what was withheld."""
        self._holds = None
        self._release.set()
        return list(self.held)

    def _answer(self, body: dict[str, Any]) -> Reply:
        prompt = prompt_of(body)
        found = re.search(rf"Question (\d+):.*\({NAME} (\w+)\)", prompt, re.DOTALL)
        if not found:
            return self._before(body)
        cell = body["model"], found[2], "warm" if body["temperature"] else "plain"
        number = int(found[1])
        with self._lock:
            self.asked[cell, number] += 1
            is_held = self._holds is not None and cell[0] == self._holds[0] and number > self._holds[1]
            self.held += [(cell, number)] if is_held else []
        if is_held:
            self._release.wait(300)
        return self._choose(cell, number)

    def _choose(self, cell: Cell, number: int) -> Reply:
        model, _, condition = cell
        if cell == LAST_CELL and number > FIRST_QUESTIONS and not self.serves_all:
            self.turned_away.append((cell, number))
            return error(404, "the model `qwen` does not exist")
        if cell == ("mistral", "astro", "plain") and number == 7:
            return error(400, "content policy", code="content_filter")
        right = number + (number % 3 == 0)
        is_wrong = number % STEPS[model, condition] == 0
        return completion(f"The answer is {LETTERS[(right + is_wrong) % 4]}.")
