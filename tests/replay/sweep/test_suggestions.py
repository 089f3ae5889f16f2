"""What the recorded days' closest approaches say of a limit."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from replay.sweep.grid import grid_of
from replay.sweep.pieces import pieces_of
from replay.sweep.suggestions import Approaches
from replay.sweep.words import suggestion_lines
from replay.whatif.settings import Asked
from replay.whatif.study import Study, runs_of
from tests.recordings import ACCOUNT
from tests.replay.whatif.sessions import Trades

LIMIT, SIZE = "rules.daily_realized_loss.loss_limit", "rules.max_contracts.limit"


def won_after_a_loss(folder: Path, count: int) -> tuple[Path, ...]:
    """So many days that first lose 2, 4, 6 ... dollars and fees, and then win; every fifth one ends in a loss."""
    first, paths = date(2026, 10, 5), []
    days = (first + timedelta(days=number) for number in range(2 * count))
    for number, day in enumerate([day for day in days if day.weekday() < 5][:count], start=1):
        session = Trades(f"{day} 08:59:00").account()
        session._ids = number * 1_000
        session.at("09:00:00").trade(1, 21000).at("09:01:00").trade(-1, 21000 - number)
        if number % 5:
            session.at("10:00:00").trade(3, 21000).at("10:01:00").trade(-3, 21500)
        paths.append(session.write(folder / f"{day}.jsonl"))
    return tuple(paths)


def test_the_worst_points_of_days_that_ended_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    study = Study(won_after_a_loss(tmp_path, 25), Asked())
    # 5 would end most of these days early: how far they went must not hang on it.
    words = (f"{LIMIT}=5,400,off", f"{SIZE}=1,9")
    along = Approaches.of(study, grid_of(words))
    assert along is not None
    assert list(pieces_of(runs_of(along.study), along.along))
    apart = Approaches.of(study, grid_of(words))
    assert apart is not None
    rows = along.rows()
    assert apart.measured().rows() == rows
    assert [(row["account"], row["key"], row["days"]) for row in rows] == [(ACCOUNT, LIMIT, 20), (ACCOUNT, SIZE, 20)]
    # The 10th, 15th, 18th and 19th of the days that won are those of the numbers 12, 18, 22 and 23.
    # Five sides have paid 0.62 by the entry that follows the loss.
    losses = {share: f"{2 * number + 3.10:.2f}" for share, number in (("50", 12), ("75", 18), ("90", 22), ("95", 23))}
    assert rows[0]["percentiles"] == losses
    assert rows[1]["percentiles"] == dict.fromkeys(losses, "3")
    said = suggestion_lines({"accounts": [ACCOUNT], "suggestions": rows}, lambda text: f"+{text}")
    assert said[0].startswith("loss_limit: on 20 days that ended well, as recorded,")
    assert f"50 % of them {losses['50']}, 75 %" in said[0]


def test_a_percentile_that_few_days_cannot_tell_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = Approaches.of(Study(won_after_a_loss(tmp_path, 4), Asked()), grid_of((f"{LIMIT}=400",)))
    assert found is not None
    [row] = found.measured().rows()
    assert (row["days"], list(row["percentiles"].values())[1:]) == (4, [row["percentiles"]["75"], None, None])
    assert row["percentiles"]["75"] is not None


def test_keys_that_belong_to_no_rule_have_no_limit() -> None:
    assert Approaches.of(Study(()), grid_of(("programme.size=50K,100K",))) is None


@pytest.mark.parametrize(("values", "per_hour"), [("2,50", "5"), ("2,10", "10"), ("2,10,12", "10")])
def test_a_limit_counts_on_every_day_whatever_is_nearer(
    values: str, per_hour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The 4 trades of a winning day come nearer to the hour's limit, and the hour may have the session's number."""
    monkeypatch.chdir(tmp_path)
    study = Study(won_after_a_loss(tmp_path, 5), Asked(sets=(f"rules.trade_frequency_limit.per_hour={per_hour}",)))
    found = Approaches.of(study, grid_of((f"rules.trade_frequency_limit.per_session={values}",)))
    assert found is not None
    [row] = found.measured().rows()
    assert (row["days"], row["percentiles"]["50"]) == (4, "4")


def test_limits_of_one_number_are_not_mixed_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    keys = [f"rules.trade_frequency_limit.per_{window}" for window in ("minute", "session")]
    found = Approaches.of(Study(won_after_a_loss(tmp_path, 5), Asked()), grid_of([f"{key}=4,9" for key in keys]))
    assert found is not None
    middles = {row["key"]: row["percentiles"]["50"] for row in found.measured().rows()}
    assert middles == dict(zip(keys, "14", strict=True))
    alike = Approaches.of(found.study, grid_of([f"{key}=9" for key in keys]))
    assert alike is not None
    assert alike.measured().rows() == []
