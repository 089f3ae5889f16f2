"""Outcomes of recorded days as JUnit XML, the form that build servers read."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from replay.regress import Outcome
from riskcore.errors import ConfigError

SUITE = "riskcore regress"


def write_junit(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write one test case per day. Raises ConfigError when the file cannot be written."""
    failures = sum(outcome.exit_code == 1 for outcome in outcomes)
    errors = sum(outcome.exit_code > 1 for outcome in outcomes)
    seconds = f"{sum(outcome.seconds for outcome in outcomes):.3f}"
    counts = {"tests": str(len(outcomes)), "failures": str(failures), "errors": str(errors), "time": seconds}
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": SUITE, **counts})
    for outcome in outcomes:
        _case(suite, outcome)
    ElementTree.indent(root)
    try:
        with path.open("wb") as file:
            ElementTree.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise ConfigError(f"--junit {path}: cannot be written: {error.strerror or error}") from None


def _case(suite: ElementTree.Element, outcome: Outcome) -> None:
    attributes = {"classname": SUITE, "name": printable(outcome.name), "time": f"{outcome.seconds:.3f}"}
    case = ElementTree.SubElement(suite, "testcase", attributes)
    if outcome.exit_code:
        kind = "failure" if outcome.exit_code == 1 else "error"
        text = printable(outcome.text)
        ElementTree.SubElement(case, kind, {"message": text.splitlines()[0]}).text = text


def printable(text: str) -> str:
    """Text without the characters that no XML document may hold; they are shown as escapes."""
    return "".join(
        character
        if character in "\t\n"
        or (character >= " " and not "\ud800" <= character <= "\udfff" and character < "\ufffe")
        or character > "\uffff"
        else repr(character)[1:-1]
        for character in text
    )
