"""Settings edited while a live engine runs: what tightens counts at once, what loosens waits, and both are told."""

from pathlib import Path
from typing import Any

from adapters.simulator.scenarios import SCENARIOS
from riskcore.core.quantities import money
from riskcore.settings.config import read_settings
from tests.cli.live_run import Live, Row, play

PATH = "rules.daily_realized_loss.0.loss_limit"


def edited(limit: int) -> dict[str, Any]:
    return read_settings(f"[rules.daily_realized_loss]\nloss_limit = {limit}\n").plain


def test_an_edit_is_in_force_or_waits_and_says_which(tmp_path: Path) -> None:
    in_force: list[int] = []

    async def plot(live: Live) -> None:
        for limit in (300, 900, 900):
            live.engine.change_settings(edited(limit))
            await live.clock.sleep(3)
            (table,) = live.engine.book.settings["rules"]["daily_realized_loss"]
            in_force.append(table["loss_limit"])

    live = play(tmp_path, SCENARIOS["quiet"], plot, settings="[rules.daily_realized_loss]\nloss_limit = 500\n")
    assert in_force == [money("300"), money("300"), money("300")]
    told: list[Row] = [figures for kind, figures in live.listener.said if kind == "settings"]
    assert [(row["now"], row["at_reset"]) for row in told[:2]] == [([PATH], []), ([], [PATH])]
    ready = next(figures for kind, figures in live.listener.said if kind == "ready")
    assert ready["rules"] == 1


def test_what_is_doubtful_in_an_edit_is_told_once_and_only_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "riskcore.toml"
    alone = "[rules.daily_realized_loss]\nloss_limit = 500\n"
    group = '[group]\naccounts = ["NOPE"]\nloss_limit = 300\n'
    path.write_text(alone)

    async def plot(live: Live) -> None:
        await live.clock.sleep(5)
        assert warnings_of(live) == []  # What is in force from the start was told there.
        path.write_text(f"{alone}shadow = true\n{group}")
        await live.clock.sleep(5)

    live = play(tmp_path, SCENARIOS["quiet"], plot, settings=alone, edited=path)
    shadow, nobody = warnings_of(live)
    assert shadow == "rules.daily_realized_loss: shadow = true: it only records what it would have done"
    assert nobody.startswith("group 'group': accounts (NOPE) names no account of this login")


def warnings_of(live: Live) -> list[str]:
    return [figures["text"] for kind, figures in live.listener.said if kind == "warning"]
