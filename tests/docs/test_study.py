"""The figures of the worked study are those that its commands give."""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from replay.whatif.result import effects_of
from replay.whatif.settings import Asked
from replay.whatif.study import Study, options_of, runs_of, shares_of, whatif
from riskcore.cli.main import run
from tests.docs.pages import DOCS, ROOT, Fence, fences
from tests.docs.test_commands import command_lines, with_files

PAGE = DOCS / "guides" / "what-if-study.md"
MONTH = ROOT / "fixtures" / "month"
COMMANDS = fences(PAGE, "sh study")


def study_of(settings: str, policy: str = "follow") -> Study:
    days = tuple(sorted(MONTH.glob("*.jsonl.gz")))
    return Study(days, Asked(MONTH / f"{settings}.toml", config_given=True), policy, quick=True)


@cache
def result(settings: str, policy: str = "follow") -> dict[str, Any]:
    return whatif(study_of(settings, policy))


def text() -> str:
    """The page as one line, with the minus signs of a keyboard and without marks of emphasis."""
    return re.sub(r"\s+", " ", PAGE.read_text(encoding="utf-8").replace("−", "-").replace("**", ""))


def signed(amount: Decimal | str) -> str:
    return f"{Decimal(amount):+}" if Decimal(amount) else "0"


def part_behind(fence: Fence) -> list[str]:
    return next(one for one in fences(PAGE, "text part") if one.line > fence.line).text.splitlines()


@pytest.mark.parametrize("fence", COMMANDS, ids=[str(one.line) for one in COMMANDS])
def test_a_command_prints_the_lines_that_the_page_shows(
    fence: Fence, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    (words,) = command_lines(fence)
    assert run(with_files(words, ROOT)) == 0
    printed = iter(capsys.readouterr().out.splitlines())
    for line in part_behind(fence):
        assert line in printed, f"not there, or not in this order: {line}"


def test_the_month_and_the_day_that_makes_it() -> None:
    rows = result("limit-400")["effect"]["by_day"]
    recorded = sum(Decimal(row["baseline"]) for row in rows)
    assert f"the month ends at {signed(recorded)}." in text()
    best = max(rows, key=lambda row: Decimal(row["net_pnl"]))
    rest = sum(Decimal(row["net_pnl"]) for row in rows if row is not best)
    assert best["trade_date"] == "2026-10-09"
    assert f"on 9 October it saves {best['net_pnl']}. Over the other 29 days the limit of 400 costs {-rest}." in text()


def weighed(side: str, figure: str) -> Decimal:
    rows = [row[side] for row in result("limit-400")["tilt"] if row[side]["entries"]]
    entries = sum(row["entries"] for row in rows)
    return sum((Decimal(row[figure]) * row["entries"] for row in rows), Decimal(0)) / entries


def test_the_tilt_ledger() -> None:
    rows = result("limit-400")["tilt"]
    figures: dict[str, Callable[[str], str]] = {
        "entries": lambda side: str(sum(row[side]["entries"] for row in rows)),
        "contracts an entry": lambda side: f"{weighed(side, 'mean_size'):.2f}",
        "share of losers": lambda side: f"{weighed(side, 'losing_share') * 100:.0f} %",
        "net": lambda side: str(sum(Decimal(row[side]["net_pnl"]) for row in rows)),
    }
    for name, figure in figures.items():
        assert f"| {name} | {figure('after')} | {figure('otherwise')} |" in text()
    assert len({row["trade_date"] for row in rows}) == 6


@pytest.mark.parametrize("policy", ["follow", "stop"])
def test_both_ends_of_the_range_of_the_pause(policy: str) -> None:
    effect = signed(result("cooldown", policy)["effect"]["net_pnl"])
    (row,) = re.findall(rf"\| `{policy}` \| [^|]+ \| ([^|]+) \|", text())
    assert row.strip() == effect


@pytest.mark.nightly
def test_the_shares_of_all_three() -> None:
    study = study_of("together")
    runs = runs_of(study)
    options = options_of(study, runs.quote_age_ns)
    effects = effects_of(runs.run(options))
    rows, _ = shares_of(runs, options, effects)
    names = {"RULE-007": "the pause", "RULE-003": "the limit of 400", "RULE-006": "six trades"}
    for row in rows:
        cells = (f"{row['rule']}, {names[row['rule']]}", *(row[one] for one in ("net_pnl", "leave_one_out", "alone")))
        first, *amounts = cells
        assert f"| {first} | {' | '.join(signed(one) for one in amounts)} |" in text()
    effect = sum(Decimal(row["net_pnl"]) for row in rows)
    assert effect * 1_000_000 == effects.net_usd
    assert f"The effect is {signed(effect)}," in text()
    assert f"Alone the three come to {sum(Decimal(row['alone']) for row in rows)}," in text()
    assert f"and add up to {effect}." in text()


def test_the_page_names_every_settings_file_of_the_month() -> None:
    named = set(re.findall(r"fixtures/month/([\w-]+)\.toml", PAGE.read_text(encoding="utf-8")))
    assert named == {path.stem for path in Path(MONTH).glob("*.toml")}
