"""The least that asking takes with the openai package: `python -m tests.benchmarks.bare_loop URL COUNT WORKERS [--grader]`.

Its typed client with its own aiohttp transport asks each question and keeps the text of the reply in memory; nothing is read,
scored or written.
"""

import argparse
import asyncio

from openai import AsyncOpenAI, DefaultAioHttpClient

from tests.support.quick_endpoint import GRADER_MARK, make_long_questions


async def ask_all(url: str, count: int, workers: int, *, with_grader: bool) -> list[str]:
    """Return the replies to the questions, in the order in which they came."""
    questions, replies = iter(make_long_questions(count)), list[str]()
    async with AsyncOpenAI(base_url=url, api_key="sk-none", max_retries=0, http_client=DefaultAioHttpClient()) as client:

        async def ask(prompt: str) -> str:
            completion = await client.chat.completions.create(
                model="quick", messages=[{"role": "user", "content": prompt}], temperature=0.0, max_tokens=1024
            )
            return str(completion.choices[0].message.content)

        async def ask_in_turn() -> None:
            for question in questions:
                reply = await ask(question["question"])
                if with_grader:
                    reply = await ask(
                        f"{question['question']}\n{GRADER_MARK.decode()}{question['answer']}\nModel Answer: {reply}"
                    )
                replies.append(reply)

        await asyncio.gather(*(ask_in_turn() for _ in range(workers)))
    return replies


def main() -> None:
    """Ask."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("count", type=int)
    parser.add_argument("workers", type=int)
    parser.add_argument("--grader", action="store_true")
    options = parser.parse_args()
    replies = asyncio.run(ask_all(options.url, options.count, options.workers, with_grader=options.grader))
    assert len(replies) == options.count


if __name__ == "__main__":
    main()
