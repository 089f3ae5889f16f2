"""Dependencies point inward (DESIGN.md "Rooms")."""

import ast
import sys
from collections.abc import Iterator
from functools import partial

from tests.tidy.sources import PACKAGES, imports, inside, offenders, shipped

INNER = ("riskcore.core", "riskcore.errors")
STORED = (*INNER, "riskcore.folders", "riskcore.schema", "riskcore.store")
READ = (*STORED, "riskcore.settings", "riskcore.audit", "riskcore.version")
# What each room may import of ours; a room not listed here may import nothing of ours.
ALLOWED: dict[str, tuple[str, ...]] = {
    "riskcore.core": INNER,
    "riskcore.errors": (),
    "riskcore.folders": (),
    "riskcore.settings": (*INNER, "riskcore.folders", "riskcore.settings", "riskcore.testing"),
    "riskcore.testing": (*INNER, "riskcore.schema", "riskcore.settings", "riskcore.testing"),
    "riskcore.schema": (*INNER, "riskcore.schema"),
    "riskcore.store": STORED,
    "riskcore.audit": READ,
    "riskcore.engine": (*READ, "riskcore.engine"),
    "riskcore.live": (
        *READ,
        "riskcore.engine",
        "riskcore.live",
        "adapters.alerts",
        "adapters.topstepx",
        "adapters.web",
    ),
    "adapters.web": (*READ, "riskcore.engine", "adapters.web"),
    "adapters": (*INNER, "riskcore.schema", "riskcore.engine", "adapters"),
    "adapters.alerts": (*READ, "riskcore.engine", "adapters.alerts"),
    "replay": (*READ, "adapters.topstepx", "replay"),
    "riskcore.version": (),
    "riskcore.cli": PACKAGES,
    "riskcore.api": (
        *READ,
        "riskcore.engine",
        "riskcore.live",
        "riskcore.api",
        "riskcore.own_packages",
        "adapters.topstepx",
        "replay",
    ),
    "riskcore.pytest_plugin": PACKAGES,
    "riskcore.own_packages": (),
    "riskcore.__main__": ("riskcore.cli", "riskcore.own_packages"),
    "riskcore": (
        "riskcore.api",
        "riskcore.engine.desk_check",
        "riskcore.settings",
        "riskcore.errors",
        "riskcore.own_packages",
        "riskcore.testing",
    ),
}
# Libraries a room may use; the others only from the standard library. None: any.
LIBRARIES: dict[str, tuple[str, ...]] = {
    "riskcore.core": (),
    "riskcore.errors": (),
    "riskcore.schema": ("msgspec",),
}


def room_of(name: str) -> str:
    return max((room for room in ALLOWED if inside(name, room)), key=len)


def outward_imports(name: str, module: ast.Module) -> Iterator[tuple[int, str]]:
    """Imports of a room that the room of module `name` must not know."""
    room = room_of(name)
    for line, other in imports(module):
        if other.split(".")[0] in PACKAGES and not any(inside(other, allowed) for allowed in ALLOWED[room]):
            yield line, f"{room} must not import {other}"


def foreign_libraries(name: str, module: ast.Module) -> Iterator[tuple[int, str]]:
    """Imports of libraries that the room of module `name` must do without."""
    room = room_of(name)
    for line, other in imports(module):
        top = other.split(".")[0]
        if room in LIBRARIES and top not in (*sys.stdlib_module_names, *PACKAGES, *LIBRARIES[room]):
            yield line, f"{room} must not import {top}"


def test_imports_point_inward() -> None:
    assert [one for name, path in shipped().items() for one in offenders(partial(outward_imports, name), [path])] == []


def test_inner_rooms_use_few_libraries() -> None:
    assert [
        one for name, path in shipped().items() for one in offenders(partial(foreign_libraries, name), [path])
    ] == []


def test_an_outward_import_would_be_seen() -> None:
    assert list(outward_imports("riskcore.core.step", ast.parse("from riskcore.engine import engine")))
    assert list(foreign_libraries("riskcore.schema.codec", ast.parse("import httpx")))


def test_every_room_is_found() -> None:
    assert {"riskcore.core", "riskcore.cli", "adapters"} <= {room_of(name) for name in shipped()}
