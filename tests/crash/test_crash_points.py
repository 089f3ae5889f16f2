"""Scripts that each die at the boundaries they have, in process and in virtual time.

A failure names the script and the boundary. `pytest -k SCRIPT` tries that script again, and
`python -m tests.crash SCRIPT BOUNDARY` shows one death from beginning to end.
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

import pytest

from riskcore.core.state import Request
from riskcore.engine.engine import Engine
from tests.crash.crash_points import judge_crash, judge_crashes, run_script
from tests.crash.scripts import BY_NAME
from tests.processes import pool

_CHUNK = 12
# Each boundary takes a run of its own: one in three by default, all of them in .ci/nightly.
EVERY = int(os.environ.get("RISKCORE_EVERY_BOUNDARY", "3"))
_KINDS = ("commit", "committed", "send", "sent", "answered", "cache", "cached")
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def workers() -> Iterator[ProcessPoolExecutor]:
    with pool() as executor:
        yield executor


def test_the_scripts_have_every_kind_of_boundary() -> None:
    names = {
        boundary.name for name in ("daily-loss", "two-accounts") for boundary in run_script(BY_NAME[name]).boundaries
    }
    assert {name.removeprefix("wind-up: ") for name in names} == set(_KINDS)
    assert {name for name in names if name.startswith("wind-up")} >= {f"wind-up: {kind}" for kind in _KINDS[-2:]}


@pytest.mark.parametrize("name", BY_NAME)
def test_undisturbed_the_script_does_what_it_is_called(name: str) -> None:
    script = BY_NAME[name]
    run = run_script(script)
    assert run.findings == ()
    assert run.paths >= set(script.calls)
    assert run.stored >= set(script.stored)
    assert (not run.ending.held and not run.ending.working) == script.flat


@pytest.mark.parametrize("name", BY_NAME)
def test_dead_at_any_boundary_the_next_start_finishes_the_work(name: str, workers: ProcessPoolExecutor) -> None:
    undisturbed = run_script(BY_NAME[name])
    deaths = undisturbed.deaths()[::EVERY]
    chunks = [deaths[start : start + _CHUNK] for start in range(0, len(deaths), _CHUNK)]
    found = workers.map(judge_crashes, [name] * len(chunks), chunks, [undisturbed] * len(chunks))
    findings = [finding for chunk in found for finding in chunk]
    assert not findings, f"{len(findings)} findings\n" + "\n".join(findings[:10])


# ---- the judge judged ----------------------------------------------------------------------------------


def test_a_request_that_leaves_before_it_is_stored_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def turn(self: Engine) -> None:
        self._intake.take(self._runner, self.ready or self.stopping)
        due = self._attempt()
        self._outbox.send(due)
        asyncio.get_running_loop().call_later(0.001, self._store, due)

    monkeypatch.setattr(Engine, "turn", turn)
    assert "I1: /api/Position/closeContract" in _findings_at("daily-loss", "sent")


def test_what_is_told_before_it_is_stored_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Engine._store

    def tell_first(self: Engine, due: Sequence[tuple[int, Request]]) -> None:
        self.announcer.stored(self.writer._waiting, self.book)
        store(self, due)

    monkeypatch.setattr(Engine, "_store", tell_first)
    assert "told and not stored" in _findings_at("daily-loss", "commit")


def test_a_restart_that_begins_with_an_empty_book_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from riskcore.engine.resume import Resumed
    from tests.simulation import world

    resume = world.resume

    def forget(journal: object) -> Resumed:
        known = resume(journal)  # type: ignore[arg-type]
        for account in known.book.accounts.values():
            account.obligations.clear()
            account.lockouts.clear()
        return known

    monkeypatch.setattr(world, "resume", forget)
    assert "instead of" in _findings_at("daily-loss", "committed")


def _findings_at(name: str, kind: str) -> str:
    """What is found when the process dies at the boundaries of one kind."""
    undisturbed = run_script(BY_NAME[name])
    numbers = [number for number, one in enumerate(undisturbed.boundaries, 1) if one.name == kind]
    return "\n".join(finding for number in numbers for finding in judge_crash(BY_NAME[name], number, undisturbed))
