"""Which accounts a live engine takes into its care: none that another engine closes and cuts already."""

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.simulator.scenario import AccountPlan
from adapters.simulator.scenarios import SCENARIOS
from riskcore.errors import ProfileBusy
from riskcore.store.lease import AccountLocks
from riskcore.store.recorder import account_lock_path
from tests.cli.live_run import Live, play

ACCOUNT = AccountPlan().id


async def nothing(live: Live) -> None:
    pass


def locks(folder: Path) -> AccountLocks:
    return AccountLocks(lambda account: account_lock_path(str(folder / "journal.db"), account))


def test_an_account_that_another_profile_enforces_on_is_refused(tmp_path: Path) -> None:
    """Two engines would cut a position twice, and place two stops for one (RULES.md 8.7)."""
    with locks(tmp_path) as other:
        other.take(ACCOUNT)
        with pytest.raises(ProfileBusy, match=f"another engine enforces on account {ACCOUNT}") as refused:
            play(tmp_path, SCENARIOS["quiet"], nothing)
        assert refused.value.exit_code == 4


def test_a_funded_account_beside_is_left_alone_and_named(tmp_path: Path) -> None:
    accounts = (AccountPlan(), AccountPlan(id=ACCOUNT + 1, name="LFA-1", simulated=False))
    live = play(tmp_path, replace(SCENARIOS["quiet"], accounts=accounts), nothing, scale=5)
    [warning] = [figures["text"] for kind, figures in live.listener.said if kind == "warning"]
    assert warning == f"account LFA-1 ({ACCOUNT + 1}) is live funded: it is neither judged nor touched"


def test_an_engine_that_only_decides_is_in_nobodys_way(tmp_path: Path) -> None:
    with locks(tmp_path) as other:
        other.take(ACCOUNT)
        play(tmp_path, SCENARIOS["quiet"], nothing, scale=5, enforces=False)


def test_an_account_is_another_engines_until_this_one_has_ended(tmp_path: Path) -> None:
    async def newcomer(live: Live) -> None:
        with locks(tmp_path) as other, pytest.raises(ProfileBusy):
            other.take(ACCOUNT)

    play(tmp_path, SCENARIOS["quiet"], newcomer, scale=5)
    with locks(tmp_path) as other:
        other.take(ACCOUNT)
        other.take(ACCOUNT)
