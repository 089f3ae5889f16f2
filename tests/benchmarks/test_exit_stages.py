"""The seams at which the latency bench takes its marks."""

from tests.benchmarks.exit_stages import BEGINNINGS, ENDS, STAGES


def test_every_stage_ends_at_a_seam_that_is_there() -> None:
    seams = [*BEGINNINGS, *ENDS]
    assert [(owner, method) for owner, method, _ in seams if not callable(getattr(owner, method, None))] == []
    assert {name for name, _ in STAGES} == {name for *_, name in seams} | {"arrived"}
