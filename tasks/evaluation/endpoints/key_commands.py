"""Runs the commands that print keys: once for everybody who needs the key, and again only when it is refused or old."""

import re
import shutil
import time
from collections.abc import Collection

from tasks.evaluation.config.printed_keys import PrintedKey
from tasks.evaluation.config.secrets import MASK, Scrubber, mask_urls
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.processes.captured import Captured, run_captured

# Tokens are fetched within seconds; a command that waits for somebody to log in would never end.
TIMEOUT_SECONDS = 60.0
# No server takes longer headers.
MOST_BYTES = 2**14
MOST_WORDS = 300
# What may be a key in what a command complains of: a scheme and its secret, or a long word with a digit in it.
LIKE_KEYS = re.compile(r"(?i)\b(?:bearer|basic)\s+\S+|(?<![\w+=.~-])(?=[A-Z+=.~_-]*\d)[\w+=.~-]{20,}")


async def print_key(
    key: PrintedKey,
    *,
    refused: Collection[str] = (),
    oldest: float = float("-inf"),
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> None:
    """Run the key's command, unless it has printed a key that will do since; whoever comes meanwhile waits for this call.

    Args:
        key: takes what the command prints.
        refused: keys that will not do.
        oldest: when the command must have been started at the earliest, on the monotonic clock.
        timeout_seconds: how long it may take.

    Raises:
        UserMistake: the command failed, or printed what cannot be a key; the key stays what it was.
    """
    async with key.lock:
        if key.text and key.text not in refused and key.read_at >= oldest:
            return
        started_at = time.monotonic()
        key.text = await _run(key, timeout_seconds)
        key.read_at = started_at


async def _run(key: PrintedKey, timeout_seconds: float) -> str:
    """Return what the command prints.

    Raises:
        UserMistake: it failed, or printed what cannot be a key.
    """
    if shutil.which(key.program) is None:
        hint = "it is run without a shell, which would replace ~ and $NAME" if key.program.startswith(("~", "$")) else ""
        raise _fail(key, f"cannot be run: no such program is found, or it is not executable{hint and f' ({hint})'}")
    try:
        captured = await run_captured(key.words, timeout_seconds=timeout_seconds, most_bytes=MOST_BYTES)
    except TimeoutError:
        raise _fail(key, f"was ended because it took longer than {timeout_seconds:g} s") from None
    except (OSError, ValueError) as error:
        raise _fail(key, f"cannot be run: {error}") from None
    if captured.exit_code:
        raise _fail(key, f"failed with exit code {captured.exit_code}{_quote(captured, key)}")
    text = captured.output.decode(errors="replace").strip()
    if not text:
        raise _fail(key, f"printed nothing{_quote(captured, key)}")
    if len(captured.output) > MOST_BYTES or not text.isascii() or not text.isprintable() or " " in text:
        # It is not repeated: a part of it may be the key.
        raise _fail(key, "printed what cannot be a key: one word was expected, and nothing else")
    return text


def _fail(key: PrintedKey, what: str) -> UserMistake:
    return UserMistake(f"{key.place}: the command {key.program} {what}")


def _quote(captured: Captured, key: PrintedKey) -> str:
    """Return the last line of what it complained of, without anything that may be a key."""
    lines = captured.complaints.decode(errors="replace").strip().splitlines()
    if not lines:
        return ""
    printed = captured.output.decode(errors="replace").strip()
    scrub = Scrubber([printed, *printed.split(), key.text])
    line = "".join(sign if sign.isprintable() else " " for sign in scrub(lines[-1])).strip()
    return f": {LIKE_KEYS.sub(MASK, mask_urls(line))[:MOST_WORDS]}"
