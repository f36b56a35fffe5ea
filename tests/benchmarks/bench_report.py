"""How fast a large report is, to write and to use: `python -m tests.benchmarks.bench_report [questions] [runs]`.

Two runs on 100,000 questions of 700 bytes, with answers of 120, are written by hand, then their report, which headless Chromium
opens from disk. Measured there: the time until the table is shown, the time that a filter, a sort and a search take, and the
JavaScript heap after all of this.
"""

import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from pydoc_data.topics import topics
from shutil import which

from playwright.sync_api import Page, sync_playwright

from tasks.evaluation.comparing.names import open_named_runs
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.pages.page import write_runs
from tests.support.saved_runs import describe_run

QUESTIONS, RUNS = 100_000, 2
QUESTION_BYTES, CHOICE_BYTES, ANSWER_BYTES = 700, 60, 120
SUBJECTS = ("biology", "chemistry", "history", "law", "physics")
LONGEST_WAIT = 60_000  # milliseconds


class Prose:
    """Writes texts that compress as prose does: pieces of the manual that comes with Python.

    Args:
        seed: the same seed gives the same texts.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._source = " ".join(" ".join(topics.values()).split())

    def write(self, size: int) -> str:
        """Return a text of so many characters."""
        start = self.random.randrange(len(self._source) - size)
        return self._source[start : start + size]


def write_records(count: int, run: int) -> Iterator[JsonObject]:
    """Yield a run's records: all runs have the same questions and other answers."""
    asked, answered = Prose(1), Prose(2 + run)
    for number in range(1, count + 1):
        stem, choices = asked.write(QUESTION_BYTES - 4 * (CHOICE_BYTES + 4)), [asked.write(CHOICE_BYTES) for _ in range(4)]
        right, chosen = asked.random.choice("ABCD"), answered.random.choice("ABCD")
        chosen = right if answered.random.random() < 0.6 else chosen
        evaluation: JsonObject = {"reference_choice": right, "model_choice": chosen, "score": int(chosen == right)}
        yield {
            "question_id": number,
            "question": stem + "?\n" + "\n".join(f"{label}) {text}" for label, text in zip("ABCD", choices, strict=True)),
            "reference_answer": right,
            "model_answer": f"{answered.write(ANSWER_BYTES)}\nANSWER: {chosen}",
            "evaluation": {**evaluation, "reasoning": f"the answer chooses {chosen}", "format": "mc"},
            "score": int(chosen == right),
            "format": "mc",
            "skipped": False,
            "usage": {"generator": {"prompt_tokens": 200, "completion_tokens": 100}, "grader": {}},
            "fields": {"subject": SUBJECTS[number % len(SUBJECTS)]},
        }


def save_run(path: Path, count: int, run: int) -> None:
    """Write a run's results."""
    metadata = describe_run(count, model=f"model-{run + 1}", settings={"fields": {"group_by": "subject"}})
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{"metadata": {json.dumps(metadata)}, "results": [\n')
        for number, record in enumerate(write_records(count, run)):
            file.write((",\n" if number else "") + json.dumps(record))
        file.write("\n]}\n")


def measure_click(page: Page, selector: str) -> float:
    """Return the milliseconds that a click's handler takes, with the layout that follows."""
    milliseconds: float = page.evaluate(
        """(selector) => {
            const started = performance.now();
            document.querySelector(selector).click();
            document.body.offsetHeight;
            return performance.now() - started;
        }""",
        selector,
    )
    return milliseconds


def measure_search(page: Page, words: str) -> float:
    """Return the milliseconds from the beginning of a search to its end."""
    milliseconds: float = page.evaluate(
        """async (words) => {
            const field = document.getElementById("search"), progress = document.getElementById("progress");
            field.value = words;
            const started = performance.now();
            field.dispatchEvent(new Event("input"));
            while (progress.hidden) await new Promise((resolve) => setTimeout(resolve, 1));
            while (!progress.hidden) await new Promise((resolve) => setTimeout(resolve, 1));
            return performance.now() - started;
        }""",
        words,
    )
    return milliseconds


def measure_page(path: Path) -> None:
    """Open the report and print what takes how long."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(LONGEST_WAIT)
        page.add_init_script(
            "new MutationObserver(() => { if (document.querySelector('#rows tr')) window.tableShown ??= performance.now(); })"
            ".observe(document, { childList: true, subtree: true });"
        )
        page.goto(path.as_uri())
        page.wait_for_function("window.tableShown")
        print(f"table shown after       {page.evaluate('window.tableShown'):8.0f} ms")
        page.wait_for_function("document.querySelector('.preview').textContent")
        filters = [measure_click(page, f"#facets .line:nth-child({line}) .chip:not([hidden])") for line in (1, 2, 1)]
        print(f"a filter, at most       {max(filters):8.0f} ms")
        sorts = [measure_click(page, f"th[data-sort={key}] button") for key in ("group", "r1", "r1", "number")]
        print(f"a sort, at most         {max(sorts):8.0f} ms")
        page.evaluate("document.getElementById('clear').click()")
        for words in ("zzzz", "the", "iterator object"):
            found = page.locator("#shown")
            print(f"a search for {words + ',':11s}{measure_search(page, words):8.0f} ms, {found.text_content()}")
        session = page.context.new_cdp_session(page)
        session.send("HeapProfiler.enable")
        before: float = page.evaluate("performance.memory.usedJSHeapSize")
        session.send("HeapProfiler.collectGarbage")
        after: float = session.send("Runtime.getHeapUsage")["usedSize"]
        print(f"JavaScript heap         {before / 1e6:8.0f} MB, after a collection {after / 1e6:.0f} MB")
        browser.close()


def main() -> None:
    """Print what the report of so many questions and runs takes."""
    questions, runs = (int(given) for given in (sys.argv[1:] + [str(QUESTIONS), str(RUNS)][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        paths = [Path(folder) / f"run{run}.json" for run in range(runs)]
        for run, path in enumerate(paths):
            save_run(path, questions, run)
        started = time.monotonic()
        written = write_runs(open_named_runs([str(path) for path in paths]), Path(folder) / "report.html")
        seconds, peak = time.monotonic() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{questions:,} questions, {runs} runs, results of {sum(path.stat().st_size for path in paths) / 1e6:.0f} MB")
        print(f"written in              {seconds:8.1f} s, memory at most {peak:.0f} MB")
        print(f"file                    {written.size_bytes / 1e6:8.1f} MB, with texts: {written.has_texts}")
        measure_page(written.path)


if __name__ == "__main__":
    main()
