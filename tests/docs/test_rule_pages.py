"""Every rule has a page, and what its timelines say is what the core does."""

from pathlib import Path

import pytest

from riskcore.core.rules import RULES
from riskcore.core.rules.base import Rule
from tests.docs.pages import DOCS
from tests.docs.timelines import HEADER, Timeline, timelines

RULE_PAGES = DOCS / "reference" / "rules"
ALL = [(page.stem, one) for page in sorted(RULE_PAGES.glob("*.md")) for one in timelines(page)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_has_a_page_with_a_timeline_that_the_overview_names(rule: Rule) -> None:
    name, number = rule.name, rule.id
    page = RULE_PAGES / f"{name}.md"
    assert page.read_text(encoding="utf-8").startswith(f"# {number} {name}: ")
    assert timelines(page)
    assert f"| {number} | [{name}]({name}.md) | " in (RULE_PAGES / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("timeline", [one for _, one in ALL], ids=[f"{name}-{one.rows[0].line}" for name, one in ALL])
def test_a_timeline_is_what_the_core_does(timeline: Timeline) -> None:
    assert timeline.run() == timeline.rows


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_timelines_of_a_page_show_the_rule_at_work(rule: Rule) -> None:
    name, number = rule.name, rule.id
    decisions = " ".join(row.decision for one in timelines(RULE_PAGES / f"{name}.md") for row in one.rows)
    assert f"**{number}**" in decisions or name == "trade_management"
    assert "Position" in decisions or "SetLockout" in decisions


def test_a_timeline_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    table = f"{HEADER}\n|---|---|---|---|\n| 10:00:00 | buys 2 MNQ at 21000 | count 2, limit 1 | nothing |\n"
    page.write_text(f"```toml\n[rules.max_contracts]\nlimit = 1\n```\n\n{table}", encoding="utf-8")
    (timeline,) = timelines(page)
    (row,) = timeline.run()
    assert row.figures == "count 2, limit 1"
    assert row.decision == "**RULE-001**; ReducePosition MNQ.Z26 to 1"
    assert timeline.run() != timeline.rows
