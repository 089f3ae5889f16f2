"""What an engine measures of itself."""

from riskcore.audit.health import HOUR_NS, Vitals
from riskcore.core.events import Body, ConnectionChanged, DriftDetected, Event

START = 1_795_188_600_000_000_000


def event(at: int, body: Body) -> Event:
    return Event(at, "broker", f"key@{at}", body)


def test_nothing_is_measured_before_the_first_commit() -> None:
    vitals = Vitals()
    assert (vitals.commit_ns, vitals.drifts(START), vitals.losses("user", START)) == (None, 0, 0)


def test_commits_have_a_middle_and_a_slowest() -> None:
    vitals = Vitals()
    for took in (3, 1, 900, 2, 4):
        vitals.stored([], took)
    assert vitals.commit_ns == (3, 900)
    for _ in range(100):
        vitals.stored([], 7)
    assert vitals.commit_ns == (7, 7), "only the latest count"


def test_drifts_and_losses_count_for_an_hour() -> None:
    vitals = Vitals()
    drift = DriftDetected(1, "CON.F.US.MNQ.Z26", 1, 2)
    vitals.stored([event(START, drift), event(START, ConnectionChanged("user", "lost"))], 1)
    vitals.stored([event(START + 5, ConnectionChanged("user", "connected")), event(START + 9, drift)], 1)
    vitals.stored([event(START + 9, ConnectionChanged("market", "lost"))], 1)
    assert (vitals.drifts(START + 9), vitals.losses("user", START + 9), vitals.losses("market", START + 9)) == (2, 1, 1)
    assert (vitals.drifts(START + HOUR_NS), vitals.losses("user", START + HOUR_NS)) == (1, 0)
    assert vitals.drifts(START + HOUR_NS + 9) == 0
