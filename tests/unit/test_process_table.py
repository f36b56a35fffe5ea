"""Which process has started which."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.evaluation.processes import process_table
from tasks.evaluation.processes.process_table import find_parents


def test_a_process_is_listed_until_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though nobody has waited for it yet; no program is needed for that."""
    monkeypatch.setenv("PATH", "")
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert find_parents()[process.pid] == os.getpid()
    assert process.stdin
    process.stdin.close()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert process.pid not in find_parents()
    process.wait()


def test_where_there_is_no_proc_ps_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In the form that it has on every system."""
    listed = "  1 Ss    0\n 20 S+    1\n 21 Z+    20\n"
    (tmp_path / "ps").write_text(f"#!/bin/sh\n[ \"$*\" = '-A -o pid=,stat=,ppid=' ] && printf '{listed}'\n")
    (tmp_path / "ps").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(process_table, "PROC", tmp_path / "none")
    assert find_parents() == {1: 0, 20: 1}
