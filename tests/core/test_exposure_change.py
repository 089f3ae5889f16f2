"""Position lives, episodes, guard baselines when an exposure changes (RULES.md 1.6, 3.2)."""

import pytest

from riskcore.core.exposure_change import baseline_of, exposure_changed, note_disagreement, root_of, smaller_held
from riskcore.core.state import Account, Book, Contract, Day, Lockout, Lot, Position

ES, MNQ = "CON.F.US.EP.Z26", "CON.F.US.MNQ.Z26"


def a_book() -> tuple[Book, Account]:
    book = Book(day=Day("2026-11-20", 0, 100, "America/Chicago", 61_200, {}))
    book.accounts[1] = Account(1)
    return book, book.accounts[1]


def change(before: int, after: int, at: int = 5) -> tuple[bool, Position, Account, Book]:
    book, account = a_book()
    position = account.positions[ES] = Position(ES, pushed=after, memory={"r.0.peak": 1})
    account.episodes.update({f"r.0|{ES}": 1, f"r.0|{ES}.stop": 1, "r.0|total": 1, "r.0|total.x": 1, f"r.0|{MNQ}": 1})
    return exposure_changed(book, account, position, before, at), position, account, book


@pytest.mark.parametrize(
    ("before", "after", "increased", "opened", "ended"),
    [
        (0, 2, True, True, False),
        (2, 3, True, False, False),
        (-2, -3, True, False, False),
        (3, 2, False, False, False),
        (2, 0, False, False, True),
        (2, -1, True, True, True),  # A flip opens, however small.
        (-2, 1, True, True, True),
    ],
)
def test_what_a_change_means(before: int, after: int, increased: bool, opened: bool, ended: bool) -> None:
    grown, position, account, book = change(before, after)
    assert grown is increased
    assert (position.opened_at == 5) is opened
    assert (position.memory == {}) is ended
    assert (f"r.0|{ES}" not in account.episodes) is ended
    assert (f"r.0|{ES}.stop" not in account.episodes) is ended
    assert f"r.0|{MNQ}" in account.episodes
    assert ("r.0|total" not in account.episodes) is ("r.0|total.x" not in account.episodes) is (after == 0)
    assert (position.increase_order, position.increased_at) == ((1, 5) if increased else (0, 0))
    assert book.ordinal == increased
    assert position.changed_at == 5
    assert account.days["2026-11-20"].held


def test_the_same_size_is_no_change() -> None:
    grown, position, account, _ = change(2, 2)
    assert not grown
    assert position.changed_at == 0
    assert account.days == {}


def test_episodes_of_the_total_go_on_while_another_contract_is_held() -> None:
    book, account = a_book()
    account.positions[MNQ] = Position(MNQ, pushed=1)
    position = account.positions[ES] = Position(ES, pushed=0)
    account.episodes["r.0|total"] = 1
    exposure_changed(book, account, position, 1, 5)
    assert "r.0|total" in account.episodes


@pytest.mark.parametrize(
    ("held", "size", "smallest"), [(2, 3, 2), (3, 2, 2), (-3, -2, -2), (2, 0, 0), (2, -1, 0), (0, 5, 0), (-2, -2, -2)]
)
def test_the_smallest_size_held(held: int, size: int, smallest: int) -> None:
    assert smaller_held(held, size) == smallest


def test_only_lockouts_that_cover_the_root_lower_their_baseline() -> None:
    book, account = a_book()
    for scope in ("account", "symbol:ES", "symbol:MNQ"):
        lockout = Lockout(scope, "R", "k", "cooldown", 0, None, "", {ES: 3})
        account.lockouts[lockout.id] = lockout
    position = account.positions[ES] = Position(ES, pushed=1)
    exposure_changed(book, account, position, 3, 5)
    assert [lockout.held[ES] for lockout in account.lockouts.values()] == [1, 1, 3]


@pytest.mark.parametrize(
    ("pushed", "lots", "confirmed", "since"),
    [(None, 2, 0, None), (2, 2, 0, None), (1, 2, 0, 9), (3, 2, 1, None), (1, 2, -1, None)],
)
def test_since_when_fills_and_the_broker_disagree(
    pushed: int | None, lots: int, confirmed: int, since: int | None
) -> None:
    position = Position(ES, side=1, lots=(Lot(1, 1, lots),), pushed=pushed, confirmed=confirmed)
    note_disagreement(position, 9)
    assert position.disagrees_since == since
    note_disagreement(position, 11)
    assert position.disagrees_since == since


@pytest.mark.parametrize(("pushed", "lots", "baseline"), [(None, 2, 2), (1, 2, 2), (3, 2, 3), (-1, 2, -1), (0, 2, 2)])
def test_a_lockout_counts_fills_whose_push_has_not_come(pushed: int | None, lots: int, baseline: int) -> None:
    assert baseline_of(Position(ES, side=1, lots=(Lot(1, 1, lots),), pushed=pushed)) == baseline


def test_the_broker_says_which_root_a_contract_has() -> None:
    book, _ = a_book()
    assert root_of(book, ES) == "ES"
    book.contracts[ES] = Contract(ES, "OWN", 1, 1)
    assert root_of(book, ES) == "OWN"
