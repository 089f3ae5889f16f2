"""The envelope and the catalogue of events."""

from dataclasses import fields, is_dataclass
from typing import get_args

import pytest

from riskcore.core import events as e
from riskcore.core.kinds import Source


@pytest.mark.parametrize("source", [source for source in get_args(Source) if source != "core"])
def test_facts_come_from_outside(source: Source) -> None:
    assert not e.Event(0, source, "k", e.ClockTicked()).derived


def test_what_the_core_computes_is_derived() -> None:
    assert e.Event(0, "core", "k", e.DayRolled("2026-11-20", "2026-11-23")).derived


def test_every_body_is_frozen_and_listed_once() -> None:
    bodies = get_args(e.Body)
    assert len(bodies) == len({*bodies}) == len(get_args(e.Fact)) + len(get_args(e.Derived))
    assert all(is_dataclass(body) and body.__dataclass_params__.frozen for body in bodies)


def test_a_command_starts_with_nothing_but_its_kind() -> None:
    command = e.Command("Alert")
    assert all(getattr(command, one.name) is None for one in fields(command) if one.name != "kind")
