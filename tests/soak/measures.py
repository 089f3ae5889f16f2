"""What a long run must not gather: memory, objects, tasks, handles, and entries in anything that can grow.

Sizes are found, not listed: from a few roots every container is reached through attributes, so that one that is added
tomorrow is watched, too. A path names a container; those behind one container count together.
"""

import asyncio
import ctypes
import gc
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from queue import Queue
from typing import Any

_ROOMS = ("riskcore", "adapters")
_PLAIN = (str, bytes, int, float, type(None))
_STATUS = Path("/proc/self/status")
_HANDLES = Path("/proc/self/fd")

# How much more the second half of a run may have than the first before it counts as growing.
SLACK = {
    "rss_kib": 6_000,
    "malloc_kib": 2_000,
    "objects": 6_000,
    "blocks": 6_000,
    "tasks": 5,
    "handles": 4,
    "threads": 2,
    "timers": 30,
}
# One number for each fill of days that are gone: told again, it must count for nothing (RULES.md 1.5).
KEPT_FOR_EVER = ".old_ids"
SHARE = 0.05
SLACK_OF_A_CONTAINER = 12


def process_measures(loop: asyncio.AbstractEventLoop) -> dict[str, int]:
    """Of this process, without what this system does not tell.

    What grows is told apart from what only lies scattered: `blocks` are pieces of memory that Python has handed out,
    `malloc_kib` is what the C library has (SQLite, TLS and large objects), and `rss_kib` holds the gaps of both, too.
    """
    gc.collect()
    found = {
        "objects": len(gc.get_objects()),
        "blocks": sys.getallocatedblocks(),
        "tasks": len(asyncio.all_tasks(loop)),
        "threads": threading.active_count(),
        "timers": sum(not timer.cancelled() for timer in getattr(loop, "_scheduled", ())),
    }
    malloc_bytes = _malloc_bytes()
    if malloc_bytes is not None:
        found["malloc_kib"] = malloc_bytes // 1024
    if _STATUS.exists():
        lines = _STATUS.read_text(encoding="utf-8").splitlines()
        found["rss_kib"] = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    if _HANDLES.exists():
        found["handles"] = len(list(_HANDLES.iterdir()))
    return found


_MALLINFO = (
    *("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks"),
    "keepcost",
)


class _Mallinfo(ctypes.Structure):
    """struct mallinfo2 of the GNU C library."""

    _fields_ = [(name, ctypes.c_size_t) for name in _MALLINFO]


def _malloc_bytes() -> int | None:
    """What is in use of the C library's memory; only the GNU one tells."""
    try:
        mallinfo = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError, TypeError):
        return None
    mallinfo.restype = _Mallinfo
    told = mallinfo()
    return int(told.uordblks + told.hblkhd)


def container_sizes(roots: Mapping[str, object]) -> dict[str, int]:
    """How many entries lie in every container that is reached from the roots through objects of riskcore."""
    sizes: Counter[str] = Counter()
    seen: set[int] = set()
    waiting: deque[tuple[str, object]] = deque(roots.items())
    while waiting:
        path, thing = waiting.popleft()
        if isinstance(thing, _PLAIN) or id(thing) in seen:
            continue
        seen.add(id(thing))
        inner = _inside(thing)
        if inner is not None:
            sizes[sys.intern(path)] += len(inner)
            waiting.extend((f"{path}[]", one) for one in inner)
        elif type(thing).__module__.partition(".")[0] in _ROOMS:
            waiting.extend((f"{path}.{name}", value) for name, value in _attributes(thing))
    return dict(sizes)


def _inside(thing: object) -> Sequence[object] | None:
    if isinstance(thing, Queue):
        return list(thing.queue)
    if isinstance(thing, deque) and thing.maxlen is not None:
        return None  # It cannot grow for ever.
    if isinstance(thing, dict):
        return list(thing.values())
    if isinstance(thing, list | tuple | set | frozenset | deque):
        return list(thing)
    return None


def _attributes(thing: object) -> Iterable[tuple[str, Any]]:
    yield from getattr(thing, "__dict__", {}).items()
    for kind in type(thing).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(thing, name):
                yield name, getattr(thing, name)


def growing(hours: Sequence[Mapping[str, int]]) -> list[str]:
    """What has more in the second half than in the first; the first fifth of the run is warming up."""
    lasting = hours[len(hours) // 5 :]
    first, second = lasting[: len(lasting) // 2], lasting[len(lasting) // 2 :]
    found = []
    for name in dict.fromkeys(name for hour in lasting for name in hour if not name.endswith(KEPT_FOR_EVER)):
        before, after = _most(first, name), _most(second, name)
        if after > before * (1 + SHARE) + SLACK.get(name, SLACK_OF_A_CONTAINER):
            found.append(f"{name} grew from {before} to {after}")
    return found


def _most(hours: Sequence[Mapping[str, int]], name: str) -> int:
    return max((hour.get(name, 0) for hour in hours), default=0)


def largest(hour: Mapping[str, int], number: int) -> list[str]:
    """The largest containers, for the report."""
    containers = [(size, name) for name, size in hour.items() if name not in SLACK]
    return [f"{name} {size}" for size, name in sorted(containers, reverse=True)[:number]]
