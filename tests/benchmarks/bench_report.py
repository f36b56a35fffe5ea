"""How fast a large report is, to write and to use: `python -m tests.benchmarks.bench_report [questions] [runs]`.

Two runs on 100,000 questions of 700 bytes, with answers of 120, are written by hand, then their report, which headless Chromium
opens from disk. Measured there: the time until the table is shown, the time that a filter, a sort and a search take, and the
JavaScript heap during the searches. A search begins 200 ms after the last key, which is counted.
"""

import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
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
ROUNDS = 5  # of which the best counts, since other programs disturb the rest


class Prose:
    """Writes texts that compress as prose does: pieces of the manual that comes with Python.

    Args:
        seed: the same seed gives the same texts.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._source = " ".join(" ".join(topics.values()).split())

    def write(self, size: int) -> str:
        """Return a text of this many characters."""
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


class Stopwatch:
    """Measures what a page does: the time that it takes, and its thread's processor time, which other programs lengthen less.

    Args:
        page: the page.
    """

    def __init__(self, page: Page) -> None:
        self._page, self._session = page, page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def time(self, name: str, scripts: Sequence[str]) -> None:
        """Run each script `ROUNDS` times, and print the time of the script that takes longest, at its best."""
        milliseconds, busy = max(min(self._run(script) for _ in range(ROUNDS)) for script in scripts)
        print(f"{name:24s}{milliseconds:8.0f} ms, {busy:.0f} ms of processor time")

    def _run(self, script: str) -> tuple[float, float]:
        started = self._read_busy()
        milliseconds: float = self._page.evaluate(
            f"async () => {{ const started = performance.now(); {script}; return performance.now() - started; }}"
        )
        return milliseconds, self._read_busy() - started

    def _read_busy(self) -> float:
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return 1000 * next(float(metric["value"]) for metric in metrics if metric["name"] == "TaskDuration")


def click(selector: str) -> str:
    """Return a script that clicks, and waits for the layout that follows."""
    return f"document.querySelector({json.dumps(selector)}).click(); document.body.offsetHeight"


def search(words: str) -> str:
    """Return a script that searches, and waits for the end of it."""
    return f"""
        const field = document.getElementById("search"), progress = document.getElementById("progress");
        const wait = () => new Promise((resolve) => setTimeout(resolve, 1));
        field.value = "";
        field.dispatchEvent(new Event("input"));
        while (!document.getElementById("clear").hidden) await wait();
        field.value = {json.dumps(words)};
        field.dispatchEvent(new Event("input"));
        while (progress.hidden) await wait();
        while (!progress.hidden) {{
            await wait();
            window.mostHeap = Math.max(window.mostHeap ?? 0, performance.memory.usedJSHeapSize);
        }}"""


def measure_page(path: Path) -> None:
    """Open the report and print what takes how long."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=which("chromium"), args=["--no-sandbox", "--enable-precise-memory-info"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(LONGEST_WAIT)
        page.add_init_script(
            "new MutationObserver(() => { if (document.querySelector('#rows tr')) window.tableShown ??= performance.now(); })"
            ".observe(document, { childList: true, subtree: true });"
        )
        shown = []
        for _ in range(ROUNDS):
            page.goto(path.as_uri())
            page.wait_for_function("window.tableShown")
            shown.append(page.evaluate("window.tableShown"))
        print(f"{'the table is shown':24s}{min(shown):8.0f} ms after the page is opened")
        page.wait_for_function("document.querySelector('.preview').textContent")
        stopwatch = Stopwatch(page)
        stopwatch.time("a filter", [click(f"#facets .line:nth-child({line}) .chip:not([hidden])") for line in (1, 2, 1)])
        page.evaluate("document.getElementById('clear').click()")
        stopwatch.time("a sort", [click(f"th[data-sort={key}] button") for key in ("group", "r1", "number")])
        for words in ("zzzz", "the", "iterator object"):
            stopwatch.time(f"a search for {words}", [search(words)])
            print(f"{'':24s}{page.locator('#shown').text_content()}")
        print(f"{'JavaScript heap':24s}{page.evaluate('window.mostHeap') / 1e6:8.0f} MB at most, while searching")
        browser.close()


def main() -> None:
    """Print what the report of this many questions and runs takes."""
    questions, runs = (int(given) for given in (sys.argv[1:] + [str(QUESTIONS), str(RUNS)][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"run{run}.json" for run in range(runs)]
        for run, path in enumerate(paths):
            save_run(path, questions, run)
        started, processed = time.monotonic(), time.process_time()
        written = write_runs(open_named_runs([str(path) for path in paths]), Path(folder) / "report.html")
        seconds, busy = time.monotonic() - started, time.process_time() - processed
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{questions:,} questions, {runs} runs, results of {sum(path.stat().st_size for path in paths) / 1e6:.0f} MB")
        print(f"{'the page is written in':24s}{seconds:8.1f} s, {busy:.1f} s of processor time, memory at most {peak:.0f} MB")
        print(f"{'the file has':24s}{written.size_bytes / 1e6:8.1f} MB, with texts: {written.has_texts}")
        measure_page(written.path)


if __name__ == "__main__":
    main()
