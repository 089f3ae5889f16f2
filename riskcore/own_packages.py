"""`adapters` and `replay` of this installation, whatever else has these names.

They are top-level packages with common names, so a bot may well have a folder `replay` of its own. The command owns
its process: `claim_process` binds the names to the installation for good. A process of somebody else, such as a test
run with the pytest plugin, gets them only inside `own_packages`; outside it the names mean what they mean to the user.

A folder that Python's path names ahead of the standard library (the working directory of `python -m`, PYTHONPATH) can
also hide a library behind a file such as click.py. The command looks into such folders last, and never into the working
directory. What Python itself imports before any code of ours runs is out of reach: PYTHONPATH=. beside a file types.py
stops every Python program.

Only what is loaded before all code of others may be imported here.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAMES = ("riskcore", "adapters", "replay")
_own: dict[str, ModuleType] = {}  # Modules loaded inside `own_packages` while the names were somebody else's.


class _OwnFinder:
    """Finds the packages of this installation before any other finder is asked."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [ROOT], target) if path is None and name in NAMES else None


def claim_process() -> None:
    """Bind the names to this installation, and look for libraries first where Python and its packages are installed.

    Call it before anything else is imported. Processes that this one starts keep out of the working directory too.
    """
    if _OwnFinder not in sys.meta_path:
        sys.meta_path.insert(0, _OwnFinder)
    sys.path[:] = _repaired(sys.path)
    os.environ["PYTHONSAFEPATH"] = "1"
    if "PYTHONPATH" in os.environ:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(_is_elsewhere, os.environ["PYTHONPATH"].split(os.pathsep)))


def _repaired(path: Sequence[str]) -> list[str]:
    """Python's own places, then those that were ahead of them; without the working directory."""
    standard = os.path.dirname(os.path.abspath(os.__file__))
    # The archive that stands for the standard library comes first of Python's own places, be it there or not.
    archive = f"python{sys.version_info[0]}{sys.version_info[1]}.zip"
    begins = next((i for i, entry in enumerate(path) if os.path.basename(entry) == archive or entry == standard), 0)
    return [*path[begins:], *filter(_is_elsewhere, path[:begins])]


def _is_elsewhere(entry: str) -> bool:
    """Whether an entry of the path is not the working directory, or holds this installation."""
    place = os.path.abspath(entry)
    return place == ROOT or place != os.getcwd()


@contextmanager
def own_packages() -> Iterator[None]:
    """Inside, `adapters` and `replay` are those of this installation; outside they are what they were before."""
    if all(_is_own(sys.modules.get(name)) for name in NAMES):
        yield
        return
    others = _take_out()
    sys.modules.update(_own)
    sys.meta_path.insert(0, _OwnFinder)
    try:
        yield
    finally:
        sys.meta_path.remove(_OwnFinder)
        _own.update(_take_out())
        sys.modules.update(others)


def are_ours() -> bool:
    """Whether the names mean this installation to everybody in this process, loaded or not."""
    return all(_is_own(sys.modules[name]) if name in sys.modules else _is_found_here(name) for name in NAMES)


def _is_own(module: ModuleType | None) -> bool:
    return _is_here(getattr(module, "__file__", None))


def _is_found_here(name: str) -> bool:
    from importlib.util import find_spec  # The command, which must not load more than it has to, never asks.

    spec = find_spec(name)
    return spec is not None and _is_here(spec.origin)


def _is_here(file: str | None) -> bool:
    return file is not None and os.path.dirname(os.path.dirname(os.path.abspath(file))) == ROOT


def _take_out() -> dict[str, ModuleType]:
    """Take the modules of both packages out of the interpreter's table."""
    found = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in NAMES[1:]}
    for name in found:
        del sys.modules[name]
    return found
