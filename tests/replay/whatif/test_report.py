"""The report of a what-if: what it says, that it is sound HTML, and that nothing in the result can break out of it."""

import json
import os
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from replay.whatif.report import report_html
from replay.whatif.report_words import FLAGS
from replay.whatif.share import share
from riskcore.schema.rows import Row
from tests.processes import run
from tests.replay.whatif.sample_result import sample

LARGEST = 300 * 1024
HOSTILE = '"><script>alert(1)</script> <i> "a" \'b\' & &lt; <img src=x onerror=alert(1)> \N{RIGHT-TO-LEFT OVERRIDE}'
VOID = {"meta", "link", "br", "wbr", "path", "img", "hr", "input"}
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "a", "div", "header", "nav", "main", "section", "footer"),
    *("h1", "h2", "h3", "p", "ul", "li", "dl", "dt", "dd", "figure", "figcaption", "details", "summary", "code"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "span", "strong", "b", "wbr", "svg", "desc", "path"),
}


@dataclass
class Element:
    """One element of the page: its attributes, the elements in it, all text below it."""

    tag: str
    attributes: dict[str, str | None]
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def all(self, *tags: str) -> Iterator["Element"]:
        for child in self.children:
            if not tags or child.tag in tags:
                yield child
            yield from child.all(*tags)


class Tree(HTMLParser):
    """Reads strictly: every element is closed in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice in {tag}"
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


def page(result: Row) -> Element:
    tree = Tree()
    tree.feed(report_html(result))
    tree.close()
    assert tree.open == [tree.root]
    return tree.root


def part(result: Row, name: str) -> str:
    """The text of one section."""
    return next(one.text for one in page(result).all("section") if one.attributes.get("id") == name)


def with_flags(flags: list[str]) -> Row:
    result = sample(3)
    result["effect"]["by_day"][0]["flags"] = flags
    return result


def everything_hostile() -> Row:
    result = with_flags(["stale_fill"])
    result["stamp"]["settings_diff"] = result["stamp"]["settings_diff"][:1]
    found: Row = hostile(result)
    return found


def quick() -> Row:
    result = sample(5)
    result["range"], result["effect"]["by_rule"], result["effect"]["shares"] = None, [], None
    return result


def nothing_happened() -> Row:
    """The settings are the same: every effect is 0."""
    result = sample(4)
    for row in result["effect"]["by_day"]:
        row |= {"counterfactual": row["baseline"], "net_pnl": "0", "exact": "0", "simulated": "0", "flags": []}
        row |= {"left_out_entries": 0, "left_out_contracts": 0, "guard_cost": "0"}
    result["effect"] |= {"net_pnl": "0", "exact": "0", "simulated": "0"}
    result["range"] |= {"kindest": "0", "cruellest": "0"}
    result["divergence"], result["tilt"] = [], []
    result["stamp"]["settings_diff"] = []
    return result


def without_days() -> Row:
    result = nothing_happened()
    result["effect"]["by_day"], result["closest"] = [], []
    for course in ("baseline", "counterfactual"):
        result[course]["accounts"] = []
    return result


def huge() -> Row:
    result = sample(6)
    day = result["effect"]["by_day"][0]
    day |= {"baseline": "-999999999999.99", "counterfactual": "999999999999.99", "net_pnl": "1999999999999.98"}
    result["effect"] |= {"net_pnl": "1999999999999.98", "exact": "-0.01", "simulated": "1999999999999.99"}
    return result


def hostile(value: Any, name: str = "") -> Any:
    """The result with a hostile text in every place where text is not an amount, a day or an instant."""
    if isinstance(value, dict):
        return {key: hostile(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [HOSTILE if item == "stale_fill" else hostile(item, name) for item in value]
    known = ("name", "path", "sha256", "cause", "rule", "contract", "kind", "key", "version", "command", "unit")
    return HOSTILE if isinstance(value, str) and name in (*known, "policy", "reason", "bar_path", "stage") else value


RESULTS = {
    "61 days": sample(),
    "two accounts": sample(20, (1, 2), programme=False),
    "one day": sample(1),
    "quick": quick(),
    "nothing happened": nothing_happened(),
    "no days": without_days(),
    "huge": huge(),
    "hostile": everything_hostile(),
    "shared": share(sample(30, (1, 2))),
}
every_result = pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS.keys())


# ---- what it says ------------------------------------------------------------------------------------


def test_a_flag_is_said_in_words() -> None:
    for flag, (short, meaning) in FLAGS.items():
        result = with_flags([flag])
        assert short in part(result, "days")
        assert meaning in part(result, "parts")
        assert "_" not in short
        assert f"{flag}_" not in report_html(result)


def test_a_flag_of_a_later_version_is_shown_as_it_is() -> None:
    assert "priced by rumour" in part(with_flags(["priced_by_rumour"]), "days")


def test_exact_and_simulated_dollars_stand_beside_the_net_and_the_range() -> None:
    result = sample(2)
    result["effect"] |= {"net_pnl": "-83.5", "exact": "22.48", "simulated": "-105.98"}
    result["range"] |= {"cruellest": "-110.25", "kindest": "-60"}
    text = part(result, "parts")
    for words in ("Exact+22.48", "Simulated−105.98", "Net effect−83.50", "Range−110.25 … −60.00"):
        assert words in text
    assert "−60.00 at the kindest: policy stop, bar path kindest, 0 ms latency, 0 ticks slippage" in text
    assert "−110.25 at the cruellest: policy follow, bar path cruellest, 1000 ms latency, 4 ticks slippage" in text


def test_what_happened_first_names_both_courses() -> None:
    result = sample(1)
    action = {"kind": "ReducePosition", "rule": "RULE-001", "contract": "CON.F.US.EP.Z25", "size": 1, "to": 2}
    row = {
        "account": 99000001,
        "trade_date": "2025-09-02",
        "at": "2025-09-02T14:31:05.250000001Z",
        "cause": "trade:1",
        "baseline_action": action | {"kind": "CloseAllPositions", "rule": "RULE-003", "contract": None},
        "counterfactual_action": action,
    }
    result["divergence"] = [row]
    words = "09:31:05 CT: reduces ES Z25 to 2 (RULE-001), where the record closes all positions (RULE-003)"
    assert words in part(result, "days")
    result["divergence"] = [row | {"counterfactual_action": None}]
    assert "09:31:05 CT: nothing, where the record closes all positions (RULE-003)" in part(result, "days")
    result["divergence"] = [row | {"counterfactual_action": None, "baseline_action": None, "cause": "opening"}]
    assert "the day starts with other open positions" in part(result, "days")


def test_a_day_that_was_acted_on_and_ended_the_same_is_shown() -> None:
    result = nothing_happened()
    result["divergence"] = [
        {
            "account": 99000001,
            "trade_date": "2025-09-03",
            "at": "2025-09-03T15:00:00Z",
            "cause": "trade:1",
            "baseline_action": None,
            "counterfactual_action": {"kind": "SetLockout", "rule": "RULE-003", "contract": None, "scope": "account"},
        }
    ]
    text = part(result, "days")
    assert "1 acted on and the same in the end" in text
    assert "10:00:00 CT: locks the account (RULE-003)" in text
    assert "3 unchanged days" in text


def test_estimated_shares_and_a_remainder_are_said() -> None:
    result = sample(2)
    result["effect"]["shares"] = {"method": "permutations", "remainder": "-0.01", "permutations": 2000, "seed": 5}
    result["effect"]["by_rule"][1] |= {"net_pnl": "30", "standard_error": "4.50"}
    text = part(result, "rules")
    assert "+30.00± 4.50" in text
    assert "estimates from 2,000 random orders (seed 5), ± their standard error" in text
    assert "The largest share holds −0.01 that rounding left over." in text
    assert "estimates" not in part(sample(2), "rules")
    assert "left over" not in part(sample(2), "rules")


def test_a_rule_given_twice_is_told_apart_by_its_table() -> None:
    result = sample(2)
    rows = result["effect"]["by_rule"]
    result["effect"]["by_rule"] = [rows[1] | {"table": f"daily_realized_loss.{place}"} for place in (0, 1)]
    text = part(result, "rules")
    assert "RULE-003daily_realized_loss.0" in text
    assert "RULE-003daily_realized_loss.1" in text


def test_a_kept_position_names_the_end_it_supposes() -> None:
    result = sample(2)
    result["range"]["kindest_of"] = {"policy": "follow", "end": "recorded"}
    assert "policy follow, what the record closed is closed there as well" in part(result, "parts")


def test_guard_cost_is_said_and_not_counted() -> None:
    result = sample(3)
    costs = ("12.50", "-2.25", None)
    for row, cost in zip(result["effect"]["by_day"], costs, strict=True):
        row |= {"left_out_entries": 2, "left_out_contracts": 3, "guard_cost": cost}
    text = part(result, "left-out")
    assert "6 entries with 9 contracts on 3 days" in text
    assert "would have cost 10.25, fees included. The effect does not count this." in text
    assert "On 1 day nothing came later that could price such a close" in text


def test_tilt_is_weighed_by_entries_and_counts_a_day_once() -> None:
    result = sample(1)
    habits = {"entries": 1, "mean_size": "2", "net_pnl": "-100", "losing_share": "1"}
    other = {"entries": 3, "mean_size": "4", "net_pnl": "25.5", "losing_share": "0.5"}
    row = {"account": 99000001, "rule": "RULE-003", "otherwise": {**other, "entries": 0, "mean_size": None}}
    result["tilt"] = [
        row | {"trade_date": "2025-09-02", "at": "2025-09-02T15:00:00Z", "after": habits},
        row | {"trade_date": "2025-09-02", "at": "2025-09-02T16:00:00Z", "after": other},
        row | {"trade_date": "2025-09-03", "at": "2025-09-03T15:00:00Z", "after": other},
    ]
    text = part(result, "tilt")
    assert "on 2 days after the first moment" in text
    # 1 entry of 2 contracts and 3 of 4; 1 of 1 and half of 3 lost.
    assert "Entries40Contracts an entry3.5–Losers63%–Net−74.50" in text
    assert "3 moments" in text


def test_closest_approach_names_the_nearest_day_of_each_course() -> None:
    def side(distance: str, unit: str, fraction: str, clock: str) -> Row:
        return {"distance": distance, "unit": unit, "fraction": fraction, "at": f"2025-09-02T{clock}Z"}

    result = sample(2)
    row = {"account": 99000001, "trade_date": "2025-09-02", "rule": "RULE-003"}
    near = side("-50.00", "$", "-0.125", "15:00:00")
    result["closest"] = [
        row | {"baseline": near, "counterfactual": side("0.50", "$", "0.00125", "15:30:00")},
        row | {"trade_date": "2025-09-03", "baseline": side("9", "$", "0.1", "16:00:00"), "counterfactual": None},
    ]
    text = part(result, "closest")
    assert "50.00 beyond (−13%)Tue 2025-09-02 10:00:00 CT" in text
    assert "0.50 left (0%)Tue 2025-09-02 10:30:00 CT" in text


def test_open_positions_at_the_end_are_in_the_headline() -> None:
    result = sample(2)
    result["effect"]["open_pnl"] = {"baseline": "-900", "counterfactual": "0"}
    hero = next(page(result).all("section")).text
    assert "still open at the end: −900.00 as recorded, 0.00 with these settings" in hero
    result["effect"]["open_pnl"] = {"baseline": "-900", "counterfactual": "-900"}
    assert "still open" not in next(page(result).all("section")).text


def test_the_stamp_has_hashes_settings_version_and_command() -> None:
    result = sample(2)
    result["stamp"]["seed"] = 17
    text = part(result, "stamp")
    for row in result["stamp"]["sessions"]:
        assert row["sha256"] in text
        assert row["path"] in text
    assert "rules.daily_realized_loss.loss_limitoff400" in text
    assert result["stamp"]["command"] in text
    assert "riskcore 0.1.0" in text
    assert "Seed 17" in text


def test_a_blind_rule_is_named_among_the_assumptions() -> None:
    result = sample(3)
    row = {"trade_date": "2025-09-02", "rule": "RULE-008", "reason": "the recording lacks orders"}
    result["counterfactual"]["accounts"][0]["blind"] = [row, row | {"trade_date": "2025-09-03"}]
    assert "RULE-008 could not be judged on 2 days: the recording lacks orders." in part(result, "assumptions")


def test_the_floor_of_a_programme_is_drawn_and_listed() -> None:
    assert "the programme's floor" in part(sample(5), "equity")
    assert "Floor" in part(sample(5), "programme")
    assert "the programme's floor" not in part(sample(5, programme=False), "equity")
    assert all(one.attributes.get("id") != "programme" for one in page(sample(5, programme=False)).all("section"))


def test_each_account_has_a_chart_of_its_own_beside_the_sum() -> None:
    figures = [one for one in page(sample(5, (1, 2))).all("section") if one.attributes.get("id") == "equity"]
    assert [one.text for one in figures[0].all("h3")] == ["All accounts", "50KTC-V2-1", "50KTC-V2-2"]
    assert len([one for one in figures[0].all("svg") if one.attributes.get("role") == "img"]) == 3


# ---- a sound page ------------------------------------------------------------------------------------


@every_result
def test_the_page_is_sound_and_can_be_read_aloud(result: Row) -> None:
    root = page(result)
    ids = [one.attributes["id"] for one in root.all() if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    for element in root.all():
        assert {element.attributes.get(f"aria-{name}", ids[0]) for name in ("labelledby", "describedby")} <= set(ids)
    html = next(root.all("html"))
    assert html.attributes["lang"] == "en"
    for landmark in ("header", "nav", "main", "footer"):
        assert len(list(root.all(landmark))) == 1
    levels = [int(one.tag[1]) for one in root.all("h1", "h2", "h3")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for section in root.all("section"):
        assert any(one.tag == "h2" for one in section.children)
    for drawing in root.all("svg"):
        named = [one.tag for one in drawing.children[:2]] == ["title", "desc"]
        assert drawing.attributes.get("aria-hidden") == "true" or (drawing.attributes["role"] == "img" and named)


@every_result
def test_every_table_has_a_caption_and_headings_for_its_cells(result: Row) -> None:
    for table in page(result).all("table"):
        caption, head, body = table.children
        assert caption.tag == "caption"
        assert caption.text.strip()
        titles = list(head.all("th"))
        assert {one.attributes["scope"] for one in titles} == {"col"}
        for row in body.children:
            assert len(row.children) == len(titles)
            first, *rest = row.children
            assert (first.tag, first.attributes["scope"]) == ("th", "row")
            assert {one.tag for one in rest} == {"td"}


@every_result
def test_nothing_is_fetched_and_no_script_runs(result: Row) -> None:
    text, root = report_html(result), page(result)
    assert {one.tag for one in root.all()} <= TAGS
    for element in root.all():
        assert not any(name.startswith("on") or name in ("src", "srcset", "action") for name in element.attributes)
        href = element.attributes.get("href")
        assert href is None or href.startswith("#")
    targets = {one.attributes.get("id") for one in root.all()}
    assert all((one.attributes["href"] or "")[1:] in targets for one in root.all("a"))
    styles = [one.text for one in root.all("style")] + [one.attributes.get("style") or "" for one in root.all()]
    assert not any("url(" in style or "@import" in style for style in styles)
    policy = next(one for one in root.all("meta") if one.attributes.get("http-equiv") == "Content-Security-Policy")
    assert (policy.attributes["content"] or "").startswith("default-src 'none';")
    assert "<script" not in text.lower()


def test_hostile_text_is_shown_as_text() -> None:
    result = RESULTS["hostile"]
    assert part(result, "stamp").count(HOSTILE) >= 5
    assert HOSTILE in part(result, "days")
    assert HOSTILE in part(result, "assumptions")
    assert HOSTILE in next(page(result).all("title")).text
    assert HOSTILE in next(page(result).all("header")).text


def test_sixty_days_of_two_accounts_stay_small() -> None:
    assert len(report_html(sample(61, (99000001, 99000002))).encode()) <= LARGEST


@every_result
def test_the_same_result_gives_the_same_bytes(result: Row) -> None:
    assert report_html(deepcopy(result)) == report_html(result)


def test_the_same_bytes_under_two_hash_seeds(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps(sample(10, (1, 2))), encoding="utf-8")
    script = (
        "import json, sys; from pathlib import Path; from replay.whatif.report import report_html; "
        "from replay.whatif.share import share; result = json.loads(Path(sys.argv[1]).read_text(encoding='utf-8')); "
        "sys.stdout.buffer.write((report_html(result) + json.dumps(share(result))).encode())"
    )
    words = [sys.executable, "-c", script, str(path)]
    found = {run(words, env=dict(os.environ, PYTHONHASHSEED=seed)).stdout for seed in ("1", "2")}
    assert len(found) == 1
    assert len(found.pop()) > 10_000
