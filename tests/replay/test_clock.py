"""A recorded day gives the same decisions whenever it is replayed: nothing asks what time it is."""

from pathlib import Path

from freezegun import freeze_time

from replay.replay_run import run_replay

DAY = Path(__file__).parents[2] / "fixtures" / "days" / "daily-loss"


def test_a_replay_is_the_same_in_another_century() -> None:
    def result() -> dict[str, object]:
        return run_replay([DAY / "session.jsonl"], config_path=DAY / "riskcore.toml")

    now = result()
    for moment in ("1999-12-31 23:59:59", "2038-01-19 03:14:08"):
        with freeze_time(moment):
            assert result() == now
