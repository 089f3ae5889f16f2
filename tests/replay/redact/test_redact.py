"""A redacted copy: nothing of the original in it, every decision the same, and no copy where that is not so."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from replay.redact import events as redaction
from replay.redact.redact import Asked, Differs, redact
from replay.redact.stand_ins import StandIns, first_left
from replay.replay_run import run_replay
from riskcore.core import events as e
from riskcore.core.state import Account
from riskcore.settings.config import Settings, read_settings
from riskcore.store.export_file import write_export
from tests.recordings import ACCOUNT, MNQ, Recording, losing_day
from tests.replay.whatif.live_days import live_day, peaceful

NAME, PROFILE, NOTE = "50KTC-V2-99000001", "jane-doe-combine", "my own remark, never to be read"
SETTINGS = f"""
[profile]
name = "{PROFILE}"
accounts = ["{NAME}", "99000002"]

[rules.daily_realized_loss]
loss_limit = "500"

[rules.daily_unrealized_loss]
loss_limit = "300"

[[rules.daily_realized_profit]]
profit_target = "5000"
message = "enough for the boat"

[accounts."{NAME}".rules.trade_frequency_limit]
per_minute = 1
"""
SECRETS = (NAME, PROFILE, NOTE, "99000001", "99000002", "72001", "82001", "enough for the boat", "janes-tag", "jdoe")
SECRETS += ("refused, jane", "secret header", "parent of", "4400123456", "4400123457", "/api/Jane", "7788990011")


def talkative() -> Recording:
    """The losing day with everything in it that somebody might have written."""
    day = losing_day()
    order = {"accountId": ACCOUNT, "contractId": MNQ, "status": 1, "size": 2, "userId": 7788990011, "owner": "jdoe"}
    day.at("08:30:01")
    entry = {**order, "id": 4400123456, "type": 1, "side": 0, "limitPrice": 20000.25, "customTag": "janes-tag"}
    day.user("GatewayUserOrder", entry)
    leg = {**order, "id": 4400123457, "type": 4, "side": 1, "stopPrice": 20800, "customTag": "janes-tag-SL"}
    day.user("GatewayUserOrder", {**leg, "parentOrderId": 4400123456})
    day.line({"hub": "user", "target": "GatewayUserOrder", "arguments": [{"note": "parent of 4400123456"}]})
    answer = {"success": False, "errorCode": 2, "errorMessage": "refused, jane"}
    day.line({"rest": "/api/Order/place", "request": {"accountId": ACCOUNT}, "status": 200, "response": answer})
    day.line({"rest": "/api/Jane Doe?token=sesame", "request": {}, "status": 200, "response": {}})
    day.line({"operator": "note", "account": ACCOUNT, "text": NOTE})
    day.account(99000002, "jdoe-second-account")
    day.lines.sort(key=lambda line: line[0])
    return day


def settings() -> Settings:
    return read_settings(SETTINGS, ())


@pytest.fixture
def wire(tmp_path: Path) -> Path:
    return talkative().write(tmp_path / "wire.jsonl", {"profile": PROFILE, "note": "secret header"})


@pytest.fixture
def export(wire: Path, tmp_path: Path) -> Path:
    path = tmp_path / "export.jsonl"
    with write_export(path) as writer:
        run_replay((wire,), config_path=settings(), keep_quotes=True, listeners=(writer.add_events,))
    return path


def asked(path: Path) -> Asked:
    return Asked(path, settings() if path.name.startswith("wire") else None)


def test_nothing_of_the_original_is_left(wire: Path, export: Path, tmp_path: Path) -> None:
    for path in (wire, export):
        before = path.read_text(encoding="utf-8")
        # Of what only a broker's message holds, a journal knows nothing.
        there = [one for one in SECRETS if one in before]
        assert len(there) >= len(SECRETS) - (7 if path == export else 2), path.name
        redact(asked(path), tmp_path / "copy.jsonl")
        copy = (tmp_path / "copy.jsonl").read_text(encoding="utf-8")
        assert [one for one in (*SECRETS, "sesame", "jdoe-second") if one in copy] == [], path.name
        assert MNQ in copy
        assert path == export or copy.count('"GatewayUserTrade"') == 4
        assert "redacted copy of a session with SHA-256" in copy.partition("\n")[0]


def test_a_copy_is_redacted_again_by_who_shares_it_further(wire: Path, export: Path, tmp_path: Path) -> None:
    for path in (wire, export):
        copy, further = tmp_path / f"{path.stem}-copy.jsonl", tmp_path / "further.jsonl"
        first, _ = redact(asked(path), copy)
        again, stand_ins = redact(replace(asked(path), session=copy), further)
        assert again["decisions"] == first["decisions"] or path == wire, "the settings of a recording name accounts"
        assert not {*stand_ins.ids} & {*stand_ins.ids.values()}
        assert again["original_sha256"] != first["original_sha256"]


def test_only_what_stands_in_is_no_original() -> None:
    for original, made in (
        ("Account Jane", True),
        ("jane-tag-5", True),
        ("rc-stop-tag-5", False),
        ("Account 12", False),
    ):
        stand_ins = StandIns(accounts={original: "Account 1"}, tags={original: "tag-1"})
        for line in (f'{{"name":"{original}"}}', f'{{"customTag":"{original}"}}'):
            assert (first_left(stand_ins, [line.encode()]) is not None) is made, original


def replayed(path: Path, plain: dict[str, Any] | None) -> dict[str, Any]:
    return run_replay((path,), config_path=None if plain is None else Settings(plain))


def test_decisions_are_the_same_with_stand_ins(wire: Path, export: Path, tmp_path: Path) -> None:
    for path in (wire, export):
        copy = tmp_path / "copy.jsonl"
        result, stand_ins = redact(asked(path), copy)
        mapping = redaction.Redaction(stand_ins)
        plain = settings().plain if path == wire else None
        before = replayed(path, plain)
        after = replayed(copy, None if plain is None else mapping.settings(plain))
        assert result["decisions"] > 5
        assert result["original_sha256"] == before["sessions"][0]["sha256"]
        assert {row["rule"] for row in after["breaches"]} == {"RULE-003", "RULE-004", "RULE-006", "GUARD"}
        assert len(after["breaches"]) == len(before["breaches"])
        for name in ("breaches", "commands"):
            for one, other in zip(before[name], after[name], strict=True):
                assert other["id"] == stand_ins.composed(one["id"])
                assert other["account"] == stand_ins.id(one["account"])
                for key in one.keys() - {"id", "account", "cause", "breach"}:
                    known = stand_ins.composed(one[key]) if isinstance(one[key], str) else one[key]
                    assert other[key] == known, key
        days = [[account["days"] for account in side["accounts"]] for side in (before, after)]
        assert days[0] == days[1]
        assert after["comparison"] is None or after["comparison"]["differences"] == []


def test_an_engines_own_day_keeps_its_requests_and_tags(tmp_path: Path) -> None:
    for seed in (5, 8):
        path, copy = tmp_path / "live.jsonl", tmp_path / "copy.jsonl"
        with write_export(path) as writer:
            writer.add_events(live_day(peaceful(seed)).events)
        redact(Asked(path), copy)
        types = [[json.loads(line).get("type") for line in one.read_text().splitlines()] for one in (path, copy)]
        assert types[0] == types[1]
        assert "RequestPlanned" in types[1]
        assert replayed(copy, None)["comparison"]["differences"] == []


def test_ids_keep_their_order_and_say_nothing_else() -> None:
    originals = [7, 12, 3420020015, 99000001, 10_000_001, 5_000_000_000]
    stand_ins = StandIns()
    for one in originals:
        stand_ins.collect_id(one)
    stand_ins.settle()
    made = [stand_ins.id(one) for one in sorted(originals)]
    assert made == sorted(made)
    assert [b - a for a, b in pairwise(made)] == [1] * 5
    assert not {*made} & {*originals}
    assert (stand_ins.id(0), stand_ins.id(-12)) == (0, -stand_ins.id(12))


def test_ids_in_texts_are_replaced_where_they_stand_for_one() -> None:
    stand_ins = StandIns()
    for one in (7, 12, 3420020015):
        stand_ins.collect_id(one)
    stand_ins.settle()
    seven, twelve, long = (stand_ins.ids[one] for one in (7, 12, 3420020015))
    for text, expected in (
        ("trade:12/7/RULE-003/day/1", f"trade:{twelve}/{seven}/RULE-003/day/1"),
        ("order:12@12/7/GUARD/order:12/7", f"order:{twelve}@12/{seven}/GUARD/order:{twelve}/7"),
        ("x/cancelOrder/12/7", f"x/cancelOrder/{twelve}/7"),
        ("order 3420020015 is 12 away", f"order {long} is 12 away"),
        ("quote:CON.F.US.MNQ.Z26@3420020015", "quote:CON.F.US.MNQ.Z26@3420020015"),
        ("3420020015.50 of 12", "3420020015.50 of 12"),
    ):
        assert stand_ins.composed(text) == expected


def test_tags_keep_what_they_say_of_the_order() -> None:
    stand_ins = StandIns()
    one, leg, target = (stand_ins.tag(f"jane{ending}") for ending in ("", "-SL", "-TP"))
    assert (leg, target) == (f"{one}-SL", f"{one}-TP")
    assert stand_ins.tag("rc-stop-0123").startswith("rc-stop-tag-")
    assert (stand_ins.tag(""), stand_ins.tag("jane")) == ("", one)


def test_no_copy_is_left_where_decisions_would_differ(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy.jsonl"
    copy.write_text("what was there before", encoding="utf-8")
    lines = export.read_text(encoding="utf-8")
    # Another size at the first fill: one contract would never be 300 under water.
    original = redaction.Redaction.event

    def smaller(self: redaction.Redaction, event: e.Event) -> e.Event:
        changed = original(self, event)
        if isinstance(changed.body, e.TradeRecorded):
            object.__setattr__(changed.body, "size", 1)
        return changed

    with monkeypatch.context() as patch:
        patch.setattr(redaction.Redaction, "event", smaller)
        with pytest.raises(Differs, match="would not decide the same"):
            redact(Asked(export), copy)
    with monkeypatch.context() as patch:
        patch.setattr(StandIns, "account", lambda self, name: self.accounts.setdefault(name, f"{name}!"))
        with pytest.raises(Differs, match="still holds"):
            redact(Asked(export), copy)
    assert copy.read_text(encoding="utf-8") == "what was there before"
    assert export.read_text(encoding="utf-8") == lines
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.jsonl", "export.jsonl", "wire.jsonl"]


def test_packed_files_and_their_plain_form_say_the_same(wire: Path, tmp_path: Path) -> None:
    packed = tmp_path / "wire.jsonl.gz"
    packed.write_bytes(gzip.compress(wire.read_bytes()))
    redact(asked(wire), tmp_path / "plain.jsonl")
    redact(asked(packed), tmp_path / "copy.jsonl.gz")
    plain = (tmp_path / "plain.jsonl").read_bytes().split(b"\n", 1)[1].rsplit(b"\n", 2)[0]
    assert plain in gzip.decompress((tmp_path / "copy.jsonl.gz").read_bytes())


def texts(kind: Any, seen: dict[Any, None]) -> Iterator[tuple[str, str]]:
    """Every field of an event or of the state that may hold a text."""
    for part in get_args(kind) or (kind,):
        if get_args(part):
            yield from texts(part, seen)
        elif is_dataclass(part) and part not in seen:
            seen[part] = None
            hints = get_type_hints(part)
            for one in fields(part):
                if "str" in str(hints[one.name]):
                    yield part.__name__, one.name
                yield from texts(hints[one.name], seen)


def test_every_text_of_an_event_is_named() -> None:
    by_hand = {"profile", "settings", "previous_hash", "name", "tag", "path", "rows", "raw", "data", "quotes", "memory"}
    by_hand |= {"episodes", "counters"}
    known = by_hand | redaction.KEPT | redaction.FREE | redaction.COMPOSED
    seen: dict[Any, None] = {}
    unnamed = [place for body in (*e.Fact.__args__, *e.Derived.__args__, Account) for place in texts(body, seen)]
    assert len(unnamed) > 80
    assert [place for place in unnamed if place[1] not in known] == []
