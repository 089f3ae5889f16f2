"""A forked course and the one it was forked from go their own ways."""

from dataclasses import fields

from replay.sweep.forks import _forked_account
from replay.whatif.account_course import AccountCourse


def test_a_forked_account_shares_nothing_that_changes() -> None:
    state = AccountCourse(1)
    forked = _forked_account(state, {})
    shared = [
        one.name
        for one in fields(state)
        if not isinstance(getattr(state, one.name), (int, str, bool))
        and getattr(forked, one.name) is getattr(state, one.name)
    ]
    assert shared == []
