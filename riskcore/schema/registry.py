"""Which event names exist, in which version, and how an older version becomes the current one.

What is stored is a topic, "<name>.<version>": never a module path, so code may move. To change an event:
raise its number in CHANGED, add the upcaster from the version before, and keep the old fixture.
Source: DESIGN.md "Versioning".
"""

from collections.abc import Callable
from typing import Any, get_args

from riskcore.core.events import Body
from riskcore.errors import Corrupt

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

BODIES: dict[str, type] = {body.__name__: body for body in get_args(Body)}
# Current version of every event that is no longer at version 1.
CHANGED: dict[str, int] = {
    "AccountObserved": 2,
    "OrdersListed": 2,
    "PositionsListed": 2,
    "RequestPlanned": 2,
    "TradeRecorded": 2,
    "TradeVoided": 2,
    "TradingDayOpened": 5,
}


def _fields_added(data: dict[str, Any]) -> dict[str, Any]:
    """The next version only has more fields: their defaults say what was true before they existed."""
    return data


UPCASTERS: dict[tuple[str, int], Upcaster] = {  # (name, version) -> data of the next version.
    ("AccountObserved", 1): _fields_added,  # asked_at
    ("OrdersListed", 1): _fields_added,  # asked_at
    ("PositionsListed", 1): _fields_added,  # asked_at
    ("RequestPlanned", 1): _fields_added,  # tag, terms
    ("TradeRecorded", 1): _fields_added,  # own
    ("TradeVoided", 1): _fields_added,  # the row of the fill
    ("TradingDayOpened", 4): _fields_added,  # broker times of fills that are ahead of the clock
    ("TradingDayOpened", 3): _fields_added,  # what fills come to that the broker's figures replaced
    ("TradingDayOpened", 2): _fields_added,  # what positions were shown, older fills
    ("TradingDayOpened", 1): _fields_added,  # enforces, and what accounts and their requests know since
}


def current_version(name: str) -> int:
    return CHANGED.get(name, 1)


def topic_of(body: type) -> str:
    """The stored name and version of a body class. Raises Corrupt for a class that is no event."""
    name = body.__name__
    if BODIES.get(name) is not body:
        raise Corrupt(f"{name} is no registered event: add it to riskcore.core.events.Body")
    return f"{name}.{current_version(name)}"


def resolve(topic: str) -> tuple[str, int, type]:
    """Name, version and current class of a stored topic. Raises Corrupt when this riskcore cannot know it."""
    name, _, version = topic.partition(".")
    body = BODIES.get(name)
    if body is None:
        raise Corrupt(f"unknown event type {name[:60]!r}: damaged, or written by a newer riskcore")
    if not (version.isascii() and version.isdigit() and 1 <= int(version[:9]) <= current_version(name)):
        raise Corrupt(f"unknown version {version[:20]!r} of {name}: damaged, or written by a newer riskcore")
    return name, int(version), body


def upcast(name: str, version: int, data: dict[str, Any]) -> dict[str, Any]:
    """The data of an older version in the shape of the current one."""
    for step in range(version, current_version(name)):
        data = UPCASTERS[name, step](data)
    return data


def released() -> list[str]:
    """Every topic that may stand in a journal: each needs a frozen fixture."""
    return [f"{name}.{version}" for name in BODIES for version in range(1, current_version(name) + 1)]
