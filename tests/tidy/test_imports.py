"""Dependencies point inward (DESIGN.md "Rooms")."""

import sys

import pytest

from tests.tidy.sources import PACKAGES, imported, inside, shipped

INNER = ("riskcore.core", "riskcore.errors")
STORED = (*INNER, "riskcore.folders", "riskcore.schema", "riskcore.store")
READ = (*STORED, "riskcore.settings", "riskcore.audit", "riskcore.version")
# What each room may import of ours; a room not listed here may import nothing of ours.
ALLOWED: dict[str, tuple[str, ...]] = {
    "riskcore.core": INNER,
    "riskcore.errors": (),
    "riskcore.folders": (),
    "riskcore.settings": (*INNER, "riskcore.folders", "riskcore.settings"),
    "riskcore.schema": (*INNER, "riskcore.schema"),
    "riskcore.store": STORED,
    "riskcore.audit": READ,
    "riskcore.engine": (*READ, "riskcore.engine"),
    "riskcore.live": (*READ, "riskcore.engine", "riskcore.live", "adapters.topstepx"),
    "adapters": (*INNER, "riskcore.schema", "riskcore.engine", "adapters"),
    "replay": (*READ, "adapters.topstepx", "replay"),
    "riskcore.version": (),
    "riskcore.cli": PACKAGES,
    "riskcore.pytest_plugin": PACKAGES,
    "riskcore.__main__": ("riskcore.cli",),
    "riskcore": (),
}
# Libraries a room may use; the others only from the standard library. None: any.
LIBRARIES: dict[str, tuple[str, ...]] = {
    "riskcore.core": (),
    "riskcore.errors": (),
    "riskcore.schema": ("msgspec",),
}


def room_of(name: str) -> str:
    return max((room for room in ALLOWED if inside(name, room)), key=len)


@pytest.mark.parametrize("name", list(shipped()))
def test_imports_point_inward(name: str) -> None:
    room = room_of(name)
    for line, module in imported(shipped()[name]):
        if module.split(".")[0] in PACKAGES:
            allowed = any(inside(module, other) for other in ALLOWED[room])
            assert allowed, f"{shipped()[name]}:{line}: {room} must not import {module}"


@pytest.mark.parametrize("name", [name for name in shipped() if room_of(name) in LIBRARIES])
def test_inner_rooms_use_few_libraries(name: str) -> None:
    for line, module in imported(shipped()[name]):
        top = module.split(".")[0]
        known = top in sys.stdlib_module_names or top in PACKAGES or top in LIBRARIES[room_of(name)]
        assert known, f"{shipped()[name]}:{line}: {room_of(name)} must not import {top}"


def test_every_room_is_found() -> None:
    assert {"riskcore.core", "riskcore.cli", "adapters"} <= {room_of(name) for name in shipped()}
