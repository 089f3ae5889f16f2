"""Bodies and books made from the type hints of the core: one fixed example each, or any that hypothesis likes."""

import dataclasses
import types
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from riskcore.core.events import Event, TradingDayOpened
from riskcore.core.state import Day
from riskcore.schema.instants import FIRST_NS, LAST_NS

AT = 1_755_613_892_123_456_789  # 2025-08-19T14:31:32.123456789Z
SETTINGS = {"profile": {"name": "fixture"}, "rules": [["daily_realized_loss", {"loss_limit_usd": 500_000_000}]]}


def example(hint: Any, number: int = 1) -> Any:
    """A value of the type with every field filled, the same at every call."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return example(arguments[0], number)
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return (example(arguments[0], number), example(arguments[0], number + 1))
        return tuple(example(argument, number + index) for index, argument in enumerate(arguments))
    if origin is dict:
        if arguments[1] is Any:
            return SETTINGS
        return {example(arguments[0], number + index): example(arguments[1], number + index) for index in (0, 1)}
    if dataclasses.is_dataclass(hint) or hasattr(hint, "_fields"):
        hints = get_type_hints(hint)
        return hint(**{name: example(hints[name], number + index) for index, name in enumerate(hints)})
    return {int: (-1) ** number * number * 1_000_000_007, str: f"text {number}", bool: number % 2 == 1}[hint]


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Every value of the type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return st.one_of([values(argument) for argument in arguments])
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return st.lists(values(arguments[0]), max_size=3).map(tuple)
        return st.tuples(*map(values, arguments))
    if origin is dict:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=3)
    if hint is Any:
        leaves = st.none() | st.booleans() | st.integers(-(10**24), 10**24) | st.text(max_size=8)
        return st.recursive(
            leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=4), inner), max_leaves=5
        )
    if dataclasses.is_dataclass(hint) or hasattr(hint, "_fields"):
        return st.builds(hint, **{name: values(inner) for name, inner in get_type_hints(hint).items()})
    return {
        int: st.integers(-(10**24), 10**24),
        str: st.text(max_size=12),
        bool: st.booleans(),
        type(None): st.none(),
    }[hint]


def events_of(body: type) -> st.SearchStrategy[Event]:
    return st.builds(
        Event,
        at=st.integers(FIRST_NS, LAST_NS),
        source=st.text(max_size=8),
        key=st.text(),
        body=values(body),
        cause=st.text(max_size=8),
    )


def example_event(body: type) -> Event:
    return Event(AT, "broker", f'{body.__name__}:1 "é"', example(body), "trade:1")


def opening(trade_date: str = "2026-08-19", profile: str = "p", previous_hash: str = "") -> Event:
    """The first event of a day, with nothing carried over."""
    day = Day(trade_date, AT, AT + 1, "America/Chicago", 61_200, {"America/Chicago": ((0, -18_000),)})
    return Event(
        AT, "clock", f"day:{trade_date}", TradingDayOpened(profile, day, SETTINGS, (), (), {}, (), "1", previous_hash)
    )
