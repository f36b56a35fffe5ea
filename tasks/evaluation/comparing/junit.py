"""Gates and verdicts as a JUnit file, which CI systems show.

    <testsuites tests="2" failures="1" errors="0" time="0">
      <testsuite name="mcqa compare" tests="2" failures="1" errors="0" skipped="0" time="0">
        <testcase classname="mcqa compare.gates" name="--fail-under 0.7" time="0">
          <failure message="Accuracy 0.61 is under …" type="gate">Accuracy 0.61 is under …</failure>
        </testcase>
        <testcase classname="mcqa compare.verdicts" name="a and b" time="0"><system-out>a and b cannot …</system-out></testcase>
      </testsuite>
    </testsuites>

There is no standard: these are the elements and attributes that GitHub's, GitLab's and Jenkins' readers have in common. A
verdict is no demand, and never fails. Names stay the same from run to run, so that a CI system can show a test's history.

Source: the JUnit XML format as collected at https://github.com/testmoapp/junitxml.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from tasks.evaluation.comparing.gate import GateResult

# What XML 1.0 cannot hold, not even escaped.
ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Remark:
    """Something that is shown beside the gates, and demands nothing."""

    name: str
    """What it is about."""
    text: str
    """What it says."""


def write_junit(suite: str, gates: Sequence[GateResult], remarks: Sequence[Remark] = ()) -> bytes:
    """Return the file's content.

    Args:
        suite: the command, as the suite's name.
        gates: one test each; a gate that is not passed is a failure.
        remarks: one test each, always passed.
    """
    failed = sum(not gate.is_passed for gate in gates)
    counts = {"tests": str(len(gates) + len(remarks)), "failures": str(failed), "errors": "0"}
    root = ET.Element("testsuites", {**counts, "time": "0"})
    parent = ET.SubElement(root, "testsuite", {"name": _clean(suite), **counts, "skipped": "0", "time": "0"})
    for gate in gates:
        case = _add_case(parent, f"{suite}.gates", gate.name)
        if gate.is_passed:
            ET.SubElement(case, "system-out").text = _clean(gate.message)
        else:
            message = _clean(gate.message)
            ET.SubElement(case, "failure", {"message": message, "type": "gate"}).text = message
    for remark in remarks:
        case = _add_case(parent, f"{suite}.verdicts", remark.name)
        ET.SubElement(case, "system-out").text = _clean(remark.text)
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _add_case(parent: ET.Element, class_name: str, name: str) -> ET.Element:
    attributes = {"classname": _clean(class_name), "name": _clean(name), "time": "0"}
    return ET.SubElement(parent, "testcase", attributes)


def _clean(text: str) -> str:
    return ILLEGAL.sub("", text)
