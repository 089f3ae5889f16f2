"""Versions of one row made one, whatever their order."""

from itertools import permutations
from typing import Any

from adapters.topstepx.fields import Number
from replay.imports.merge import Version, agreeing, merged_row


def version(where: str, at: int, price: int, fees: int | None) -> Version[str]:
    return Version(where, at, {"price": price}, {"fees": fees}, where)


def test_a_present_value_beats_an_absent_one_in_any_order() -> None:
    rows: list[dict[str, Any]] = [{"id": 1, "fees": Number("0.37")}, {"id": 1, "commissions": 1}, {"id": 1}]
    for order in permutations(rows):
        assert merged_row(order) == {"id": 1, "fees": Number("0.37"), "commissions": 1}


def test_of_two_present_values_the_same_one_counts_in_any_order() -> None:
    rows: list[dict[str, Any]] = [{"id": 1, "price": Number("1.0")}, {"id": 1, "price": 1}]
    assert len({str(merged_row(order)) for order in permutations(rows)}) == 1
    assert merged_row([{"voided": True}, {"voided": False}]) == {"voided": True}


def test_versions_that_say_the_same_agree() -> None:
    counting, conflict = agreeing("trade 1", [version("a line 2", 5, 10, None), version("b line 2", 5, 10, 3)])
    assert ([one.where for one in counting], conflict) == (["a line 2", "b line 2"], None)


def test_two_events_of_one_id_are_said_and_the_later_one_counts() -> None:
    versions = [version("a line 2", 9, 10, 1), version("b line 2", 5, 11, 1), version("c line 2", 9, 10, 1)]
    for order in permutations(versions):
        counting, conflict = agreeing("trade 1", order)
        assert [one.where for one in counting] == ["a line 2", "c line 2"]
        assert conflict is not None
        assert "(price differ)" in conflict
        assert "c line 2 counts, b line 2 does not" in conflict


def test_two_figures_of_one_event_are_said() -> None:
    counting, conflict = agreeing("trade 1", [version("a line 2", 5, 10, 1), version("b line 2", 5, 10, 2)])
    assert len(counting) == 2
    assert conflict == (
        "trade 1: fees differ in a line 2, b line 2, and nothing says which is newer; give only the file that is right"
    )
