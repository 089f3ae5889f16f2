"""The circuit breaker: five failures within thirty seconds open it, one good probe closes it."""

from adapters.topstepx.breaker import Breaker
from riskcore.core.quantities import SECOND_NS

START = 1_795_262_400 * SECOND_NS


def after(seconds: float) -> int:
    return START + int(seconds * SECOND_NS)


def opened() -> Breaker:
    """A breaker whose fifth failure was at 4 s: open until 6 s."""
    breaker = Breaker()
    for second in range(5):
        assert breaker.state(after(second)) == "closed"
        breaker.failed(after(second))
    return breaker


def test_five_failures_open_it() -> None:
    breaker = opened()
    assert breaker.state(after(4)) == "open"
    assert not breaker.allows(after(5.9))


def test_failures_far_apart_do_not() -> None:
    breaker = Breaker()
    for second in (0, 1, 2, 3, 30, 31):
        breaker.failed(after(second))
        assert breaker.allows(after(second))
    breaker.failed(after(32))
    assert breaker.allows(after(32))
    breaker.failed(after(32.5))
    breaker.failed(after(32.6))
    assert not breaker.allows(after(32.6))


def test_a_success_forgets_the_failures_before() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.failed(START)
    breaker.succeeded()
    breaker.failed(START)
    assert breaker.state(START) == "closed"


def test_half_open_lets_one_probe_through() -> None:
    breaker = opened()
    assert breaker.state(after(6)) == "half-open"
    assert breaker.allows(after(6))
    assert not breaker.allows(after(6))
    breaker.succeeded()
    assert breaker.state(after(6)) == "closed"
    assert breaker.allows(after(6))
    assert breaker.allows(after(6))


def test_a_failed_probe_waits_twice_as_long_up_to_a_minute() -> None:
    breaker = opened()
    now, pauses = after(6), []
    for _ in range(7):
        assert breaker.allows(now)
        breaker.failed(now)
        waited = 0
        while not breaker.allows(now + waited * SECOND_NS):
            waited += 1
        pauses.append(waited)
        now += (waited + 20) * SECOND_NS  # Long enough for another probe, which fails in turn.
    assert pauses == [4, 8, 16, 32, 60, 60, 60]


def test_a_failure_of_enforcement_while_open_does_not_lengthen_the_pause() -> None:
    breaker = opened()
    for _ in range(20):
        breaker.failed(after(5))
    assert breaker.allows(after(6))


def test_a_probe_that_is_never_heard_of_again_is_replaced() -> None:
    breaker = opened()
    assert breaker.allows(after(6))
    assert not breaker.allows(after(20.9))
    assert breaker.allows(after(21))
