"""What Prometheus reads of a running engine, with the extra and without it, and the files that ask for it."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.simulator.scenarios import SCENARIOS
from riskcore.engine.control_file import control_path, read_control
from riskcore.engine.stage_times import BOUNDS_NS, StageTimes
from tests.adapters.web.conftest import Asked
from tests.adapters.web.serving import asked, request, say
from tests.cli.live_run import Live, play

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations"
PROMISED = {
    "riskcore_up",
    "riskcore_armed",
    "riskcore_events_stored_total",
    "riskcore_last_event_timestamp_seconds",
    "riskcore_breaches_total",
    "riskcore_unmet_obligations",
    "riskcore_stream_readers",
}


def scraped(service: Asked) -> str:
    said = say(service.port, request(service.control, "GET", "/metrics"))
    assert said.status == 200
    assert str(said.header("Content-Type")).startswith("text/plain; version=0.0.4")
    return said.body.decode()


def figures(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """The samples by name and by the values of their labels, in the order of the labels' names."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = tuple(value for _, value in sorted(sample.labels.items()))
            assert key not in found.setdefault(sample.name, {}), f"{sample.name} twice with {key}"
            found[sample.name][key] = sample.value
    return found


def declared(text: str) -> set[str]:
    """Every name that a question may ask for, also where nothing has happened yet."""
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        ends = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        names |= {f"{name}{end}" for end in ends}
    return names


@pytest.fixture(scope="module")
def live_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The metrics of an engine that enforces."""
    texts: list[str] = []

    async def plot(live: Live) -> None:
        control = read_control(control_path(live.store, str(live.engine.book.profile)))
        assert control is not None
        await live.clock.sleep(5)
        texts.append((await asked(control, "GET", "/metrics")).body.decode())

    play(tmp_path_factory.mktemp("live"), SCENARIOS["quiet"], plot)
    return texts[0]


def test_a_running_engine_says_how_it_is(live_text: str) -> None:
    found = figures(live_text)
    assert found["riskcore_up"] == found["riskcore_armed"] == {(): 1.0}
    stages = found["riskcore_stage_seconds_count"]
    assert set(stages) == {("receive",), ("decide",), ("store",), ("answer",)}
    assert all(count > 0 for count in stages.values())
    assert all(0 < total < 60 for total in found["riskcore_stage_seconds_sum"].values())
    assert set(found["riskcore_waiting_messages"]) == {("account",), ("market",)}
    assert found["riskcore_quota_limit"] == {("calls",): 200.0, ("bars",): 50.0}
    assert found["riskcore_quota_used"]["calls",] > 0
    assert found["riskcore_hub_connected"] == {("user",): 1.0, ("market",): 1.0}
    assert found["riskcore_store_halted"] == found["riskcore_store_on_reserve"] == {(): 0.0}
    assert list(found["riskcore_lockouts"].values()) == [0.0]
    assert found["riskcore_limit_left"]


def test_limits_and_breaches_of_a_day(service: Asked) -> None:
    found = figures(scraped(service))
    assert found["riskcore_breaches_total"]["RULE-003",] == 1
    account = ("99000001", "50KTC-V2-99000001")
    assert found["riskcore_limit_left"][*account, "", "hour trades", "RULE-006", "trades"] == 2
    assert found["riskcore_limit_used_ratio"][*account, "", "hour trades", "RULE-006"] == 0.8


def test_without_the_extra_the_promised_figures_are_there_and_the_rest_says_how_to_get_it(
    service: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "adapters.web.prometheus", raising=False)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    text = scraped(service)
    assert 'pip install "riskcore[metrics]"' in text.splitlines()[0]
    assert set(figures(text)) == declared(text) == PROMISED
    assert figures(text)["riskcore_breaches_total"]["RULE-003",] == 1


@pytest.mark.parametrize("name", ["grafana-dashboard.json", "prometheus-alerts.yml", "metrics.md"])
def test_every_metric_named_in_the_docs_exists(name: str, live_text: str) -> None:
    text = (OPERATIONS / name).read_text(encoding="utf-8")
    named = set(re.findall(r"\briskcore_[a-z_]+", text))
    named -= {"riskcore_stage_seconds"} if name == "metrics.md" else set()
    assert len(named) > 5
    assert named <= declared(live_text)


def test_every_metric_is_explained(live_text: str) -> None:
    text = (OPERATIONS / "metrics.md").read_text(encoding="utf-8")
    ours = {name for name in declared(live_text) if name.startswith("riskcore_")}
    assert {name for name in ours if re.sub("_(bucket|sum|count)$", "", name) not in text} == set()


def test_panels_of_the_dashboard_stand_beside_each_other() -> None:
    panels: list[Any] = json.loads((OPERATIONS / "grafana-dashboard.json").read_text(encoding="utf-8"))["panels"]
    places = [(one["gridPos"]["x"], one["gridPos"]["y"]) for one in panels]
    assert len(set(places)) == len(panels)
    assert all(one["gridPos"]["x"] + one["gridPos"]["w"] <= 24 for one in panels)


def test_a_duration_is_counted_at_every_bound_that_it_reaches() -> None:
    times = StageTimes()
    for lasted in (BOUNDS_NS[0] - 1, BOUNDS_NS[0], BOUNDS_NS[0] + 1, BOUNDS_NS[-1] + 1):
        times.add(lasted)
    assert times.row("store")["buckets"] == [2, *(3,) * (len(BOUNDS_NS) - 1), 4]
    assert times.row("store")["sum_ns"] == 3 * BOUNDS_NS[0] + BOUNDS_NS[-1] + 1
