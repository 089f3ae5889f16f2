"""The scenarios: settings that load without a warning, plots that break what they promise, the same bytes again."""

from pathlib import Path

import pytest

from adapters.simulator import rows
from adapters.simulator.broker import Broker, Message
from adapters.simulator.faults import PLACES, places_of
from adapters.simulator.scenario import Scenario
from adapters.simulator.scenarios import DEFAULT, SCENARIOS, scenario_of
from adapters.topstepx.fields import encode
from replay.replay_run import run_replay
from riskcore.core.quantities import SECOND_NS
from riskcore.errors import ConfigError
from riskcore.schema.instants import utc_text
from riskcore.settings.config import read_settings
from tests.adapters.simulator.broker_desk import AT, understood

NAMES = list(SCENARIOS)


def play(scenario: Scenario, seed: int = 1) -> tuple[Broker, list[Message]]:
    """The whole plot with nobody to enforce a rule."""
    broker = Broker(scenario, seed=seed, at=AT)
    until = AT + round(scenario.seconds * SECOND_NS)
    heard: list[Message] = []
    while (due := broker.due()) is not None and due <= until:
        broker.advance(due)
        heard += broker.messages(due)
    return broker, heard


def text(heard: list[Message]) -> str:
    return "\n".join(f"{at} {hub} {audience} {encode(line)}" for at, hub, audience, line in heard)


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_read_without_a_warning(name: str) -> None:
    assert read_settings(SCENARIOS[name].settings).warnings == []


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_the_same_bytes_and_another_seed_others(name: str) -> None:
    first, again, other = (text(play(SCENARIOS[name], seed)[1]) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("name", NAMES)
def test_everything_a_plot_says_is_understood(name: str) -> None:
    _, heard = play(SCENARIOS[name])
    for at, _, _, line in heard:
        understood(line, at)


@pytest.mark.parametrize("name", [name for name, scenario in SCENARIOS.items() if scenario.flat_by is not None])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_plot_breaks_a_rule_well_before_it_has_to_be_flat(name: str, seed: int, tmp_path: Path) -> None:
    scenario = SCENARIOS[name]
    broker, heard = play(scenario, seed)
    opening = [
        {"connection": "user", "state": "connected"},
        {"connection": "market", "state": "connected"},
        *(rows.hub("GatewayUserAccount", {**rows.account(one), "canTrade": True}) for one in broker.accounts),
    ]
    lines = [*((AT, line) for line in opening), *((at, line) for at, _, _, line in heard)]
    recording, settings = tmp_path / "session.jsonl", tmp_path / "riskcore.toml"
    written = [encode({"at": utc_text(at // 1000 * 1000), **line}) for at, line in lines]
    recording.write_text("\n".join(['{"riskcore":"wire/1"}', *written, ""]), encoding="utf-8")
    settings.write_text(scenario.settings, encoding="utf-8")
    assert scenario.flat_by is not None
    latest = utc_text(AT + round((scenario.flat_by - 5) * SECOND_NS))
    breaches = [one["at"] for one in run_replay([recording], config_path=settings)["breaches"]]
    assert breaches
    assert min(breaches) <= latest


@pytest.mark.parametrize("name", NAMES)
def test_what_a_scenario_names_exists(name: str) -> None:
    scenario = SCENARIOS[name]
    last = len(scenario.accounts) - 1
    assert all(action.account <= last and action.second <= scenario.seconds for action in scenario.actions)
    assert all(habit.account <= last for habit in scenario.habits)
    quoted = {path.root for path in scenario.prices}
    assert all(done.root in quoted for done in (*scenario.actions, *scenario.habits))
    assert all(fault.where in PLACES and fault.where in places_of(fault.name) for fault in scenario.faults)


def test_there_is_a_default_and_a_wrong_name_is_told() -> None:
    assert scenario_of(DEFAULT).name == "daily-loss"
    assert len([one for one in SCENARIOS.values() if one.flat_by is not None and one.flat_by <= 30]) >= 20
    with pytest.raises(ConfigError, match="no scenario is called 'nothing'"):
        scenario_of("nothing")


def test_a_waiting_script_begins_when_it_is_told_to() -> None:
    broker = Broker(scenario_of("no-stop"), at=AT, waits=True)
    broker.advance(AT + 60 * SECOND_NS)
    assert broker.orders == []
    broker.begin(AT + 61 * SECOND_NS)
    broker.begin(AT + 70 * SECOND_NS)
    broker.advance(AT + 64 * SECOND_NS)
    assert [order.created_at // SECOND_NS - AT // SECOND_NS for order in broker.orders] == [63]
