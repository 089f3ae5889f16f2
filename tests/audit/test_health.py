"""The explained health score: every threshold just below, at and above it."""

from dataclasses import replace
from typing import Any

import pytest

from riskcore.audit import health
from riskcore.audit.health import HubSign, QuotaSign, Signs, explain

WELL = Signs(
    hubs=(HubSign("user", "connected", 90), HubSign("market", "connected", 90)),
    snapshot_age_seconds=10,
    rest_latency_ms=40,
    token_left_seconds=80_000,
    quotas=(QuotaSign("calls", 10, 200, 60, 5),),
    commit_latency_ms=2,
)
RISING = {
    "snapshot_age_seconds": health.SNAPSHOT_AGE_SECONDS,
    "rest_failures": health.REST_FAILURES,
    "rest_latency_ms": health.REST_LATENCY_MS,
    "commit_latency_ms": health.COMMIT_LATENCY_MS,
    "unresolved_requests": health.UNRESOLVED_REQUESTS,
    "drifts_last_hour": health.DRIFTS_LAST_HOUR,
}


def lost(**signs: Any) -> int:
    return health.FULL - explain(replace(WELL, **signs)).score


def test_all_is_well() -> None:
    assert explain(WELL) == health.Health(100, ())


@pytest.mark.parametrize("name", RISING)
def test_each_threshold_that_rises_counts_from_its_very_value(name: str) -> None:
    before = 0
    for least, points in RISING[name]:
        assert lost(**{name: least - 1}) == before
        assert lost(**{name: least}) == points
        assert lost(**{name: least + 1}) == points
        before = points


def test_a_token_counts_from_the_seconds_it_has_left() -> None:
    before = 0
    for least, points in health.TOKEN_LEFT_SECONDS:
        assert lost(token_left_seconds=least + 1) == before
        assert lost(token_left_seconds=least) == points
        assert lost(token_left_seconds=least - 1) == points
        before = points


def test_blind_rules_count_by_their_number_and_are_named() -> None:
    names = tuple(f"RULE-00{number}" for number in range(1, 6))
    assert [lost(blind_rules=names[:count]) for count in range(5)] == [0, 15, 15, 30, 30]
    (part,) = explain(replace(WELL, blind_rules=names[:2])).parts
    assert part.sentence.endswith("RULE-001, RULE-002")


@pytest.mark.parametrize(("used", "points"), [(139, 0), (140, 5), (179, 5), (180, 15), (199, 15), (200, 25)])
def test_a_quota_counts_by_its_used_share_and_says_the_numbers(used: int, points: int) -> None:
    found = explain(replace(WELL, quotas=(QuotaSign("calls", used, 200, 60, used // 2),)))
    assert found.score == 100 - points
    assert all(part.sentence.startswith(f"{used} of 200 calls in 60 s are used (from ") for part in found.parts)


@pytest.mark.parametrize("state", ["open", "half-open"])
def test_a_breaker_that_is_not_closed_costs_points(state: str) -> None:
    (part,) = explain(replace(WELL, breaker=state)).parts
    assert (part.points_lost, part.figure) == (health.BREAKER_NOT_CLOSED, state)


def test_a_hub_that_is_lost_again_and_again_costs_points_though_it_is_connected() -> None:
    for losses, points in ((2, 0), (3, 3), (9, 3), (10, 10)):
        hub = HubSign("user", "connected", 5, losses)
        assert explain(replace(WELL, hubs=(hub,))).score == 100 - points


def test_every_deduction_says_its_figure_and_from_where_it_counts() -> None:
    found = explain(replace(WELL, rest_latency_ms=1_200, commit_latency_ms=300, rest_failures=4))
    assert [(part.figure, part.from_figure, part.sentence) for part in found.parts] == [
        (4, 3, "the last 4 calls to the broker failed (from 3 on)"),
        (300, 250, "storing an event takes 300 ms (from 250 ms on)"),
        (1_200, 1_000, "the broker answers after 1200 ms (from 1000 ms on)"),
    ]


def test_a_lost_hub_says_why() -> None:
    (part,) = explain(replace(WELL, hubs=(HubSign("user", "lost", 3, reason="the server closed it"),))).parts
    assert part.sentence == "the user hub is lost for 3 s: the server closed it"


@pytest.mark.parametrize(
    ("hub", "state", "seconds", "points"),
    [
        ("user", "connected", 9_999, 0),
        ("user", "lost", 0, 40),
        ("user", "lost", health.LONG_LOST_SECONDS - 1, 40),
        ("user", "lost", health.LONG_LOST_SECONDS, 60),
        ("user", "lost", health.LONG_LOST_SECONDS + 1, 60),
        ("user", "stale", 1, 25),
        ("market", "lost", 1, 20),
        ("market", "stale", 1, 10),
        ("market", "stale", health.LONG_LOST_SECONDS, 15),
    ],
)
def test_hubs_cost_by_what_they_tell_and_for_how_long(hub: str, state: str, seconds: int, points: int) -> None:
    found = explain(replace(WELL, hubs=(HubSign(hub, state, seconds),)))
    assert found.score == 100 - points
    assert all(f"the {hub} hub is {state} for {seconds} s" == part.sentence for part in found.parts)


def test_what_is_not_measured_yet_costs_nothing_but_an_account_never_seen_does() -> None:
    unknown = replace(WELL, rest_latency_ms=None, token_left_seconds=None, commit_latency_ms=None)
    assert explain(unknown).score == 100
    assert lost(snapshot_age_seconds=None) == health.NEVER_SNAPSHOT


def test_a_halted_journal_leaves_nothing_and_says_why() -> None:
    found = explain(replace(WELL, halted="the disk is full"))
    assert found.score == 0
    assert "the disk is full" in found.parts[0].sentence


def test_living_on_the_reserve_costs_more_than_half_and_says_how_long_limits_act() -> None:
    found = explain(replace(WELL, pinched="the disk is full"))
    assert found.score == 100 - health.ON_RESERVE
    assert found.parts[0].sentence == "limits act only as long as a small reserve lasts: the disk is full"


def test_unarmed_rules_cost_half() -> None:
    assert lost(armed=False) == health.NOT_ARMED


def test_the_score_never_falls_below_zero_and_the_costliest_reason_comes_first() -> None:
    found = explain(
        Signs(
            armed=False,
            hubs=(HubSign("user", "lost", 90), HubSign("market", "lost", 90)),
            rest_failures=50,
            unresolved_requests=9,
        )
    )
    assert found.score == 0
    costs = [part.points_lost for part in found.parts]
    assert costs == sorted(costs, reverse=True)
    assert found.parts[0].name == "user hub"


def test_the_parts_add_up_to_what_is_missing() -> None:
    found = explain(replace(WELL, rest_failures=3, drifts_last_hour=1, quotas=(QuotaSign("calls", 150, 200, 60, 75),)))
    assert {part.name: part.points_lost for part in found.parts} == {"calls": 20, "drift": 3, "calls quota": 5}
    assert found.score == 100 - 28


def test_one_and_many_are_said_as_people_say_them() -> None:
    one = explain(replace(WELL, unresolved_requests=1, rest_failures=1, drifts_last_hour=1))
    assert [part.sentence for part in one.parts] == [
        "the outcome of 1 request is unknown",
        "the last call to the broker failed",
        "fills and the broker's positions disagreed once in the last hour",
    ]
    many = explain(replace(WELL, unresolved_requests=2, rest_failures=2))
    assert [part.sentence for part in many.parts] == [
        "the outcome of 2 requests is unknown",
        "the last 2 calls to the broker failed",
    ]


def test_unseeded_rules_are_named() -> None:
    found = explain(replace(WELL, unseeded_rules=("RULE-003",)))
    assert found.parts[0].sentence == "unseeded, waiting for the fills of the day: RULE-003"
    assert found.score == 85


@pytest.mark.parametrize(
    ("dead", "points"), [((), 0), (("sound",), 5), (("desktop", "sound"), 5), (("a", "b", "c"), 15)]
)
def test_channels_that_alerts_no_longer_get_through_are_named(dead: tuple[str, ...], points: int) -> None:
    found = explain(replace(WELL, dead_channels=dead))
    assert 100 - found.score == points
    assert [one.sentence.partition(" (")[0] for one in found.parts] == (
        [f"alerts no longer get through by {', '.join(dead)}"] if dead else []
    )
