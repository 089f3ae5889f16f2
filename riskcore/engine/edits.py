"""What an edit of the settings does to a running engine, in words (RULES.md 1.6)."""

from collections.abc import Mapping
from typing import Any

from riskcore.core.loosening import compare, in_force_now


def edits(in_force: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The addresses of the settings that count from now on, and of those that wait for the reset."""
    from_now = in_force_now(in_force, wanted)
    at_once = [change.path for change in compare(in_force, from_now)]
    later = [change.path for change in compare(from_now, wanted)]
    return at_once, later
