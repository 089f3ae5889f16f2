"""What programs rely on in JSON: which fields there are, and of which types. Values are left out."""

import contextlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.topstepx.credentials import API_KEY, USER_NAME
from riskcore.audit.following import Follower
from riskcore.audit.happenings import happenings
from riskcore.audit.stream import Telling
from riskcore.cli.main import run
from riskcore.store.journal import Journal
from riskcore.store.lease import ProfileLock
from riskcore.store.location import stored_profiles
from riskcore.store.recorder import lock_path
from tests.adapters.web.conftest import asked
from tests.cli.simulated import gateway_running

ROOT = Path(__file__).parents[2]
DAY = ROOT / "fixtures" / "days" / "daily-loss"
FOLDER = ROOT / "fixtures" / "shapes"
Shape = dict[str, str]  # By path, such as accounts[].limits[].left: the types, such as "null | string".
_TYPES = {dict: "object", list: "array", str: "string", int: "integer", float: "number", bool: "boolean"}
_FIELD = re.compile(r"[a-z][a-z0-9_]*")
_LIMIT = "rules.daily_realized_loss.loss_limit=400"
_TRADES = {
    "trades": [
        {
            "id": 1,
            "accountId": 99000001,
            "contractId": "CON.F.US.MNQ.Z26",
            "price": 21000.0,
            "side": 0,
            "size": 1,
            "creationTimestamp": "2026-11-19T14:31:00Z",
            "profitAndLoss": None,
            "fees": 0.37,
            "voided": False,
            "orderId": 1,
        }
    ],
    "success": True,
    "errorCode": 0,
    "errorMessage": None,
}


def shape_of(*values: Any) -> Shape:
    """The shape that several values have together. A key that is no word of ours, such as a date, is a `*`."""
    found: dict[str, set[str]] = {}
    for value in values:
        for path, name in _walk(value, ""):
            found.setdefault(path, set()).add(name)
    return {path: " | ".join(sorted(found[path])) for path in sorted(found)}


def _walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    yield path, "null" if value is None else _TYPES[type(value)]
    if isinstance(value, dict):
        for key, inner in value.items():
            name = key if _FIELD.fullmatch(key) else "*"
            yield from _walk(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, f"{path}[]")


def broken_promises(frozen: Shape, now: Shape) -> list[str]:
    """Fields that are gone, and types that a reader did not have to expect. New fields are no fault."""
    faults = []
    for path, names in frozen.items():
        if path not in now:
            faults.append(f"{path} is gone")
        elif names != "null" and (new := set(now[path].split(" | ")) - set(names.split(" | "))):
            faults.append(f"{path} may be {', '.join(sorted(new))} now, it was {names}")
    return faults


def together(frozen: Shape, now: Shape) -> Shape:
    """A frozen shape with what is new."""
    return {path: frozen.get(path) or now[path] for path in sorted({*frozen, *now})}


def shapes(folder: Path) -> dict[str, Shape]:
    """The shape of what every command prints with --json, of live's lines, of the stream and the API's answers."""
    (folder / "trades.json").write_text(json.dumps(_TRADES), encoding="utf-8")
    settings = (DAY / "riskcore.toml").read_text(encoding="utf-8")
    (folder / "programme.toml").write_text(f'{settings}\n[programme]\nsize = "50K"\n', encoding="utf-8")
    (folder / "own.toml").write_text(settings, encoding="utf-8")
    day, store, config = DAY / "session.jsonl", folder / "journal.db", DAY / "riskcore.toml"
    earlier = DAY.parent / "give-back" / "session.jsonl"
    on, firm = f"--store {store}", f"--config {folder / 'programme.toml'}"
    lines = {
        "replay": f"replay {day} --config {config} {on}",
        "whatif": f"whatif {day} --config {config} --set {_LIMIT}",
        "sweep": f"sweep {day} --config {config} --grid rules.daily_realized_loss.loss_limit=400,500 --workers 1 --yes",
        "odds": f"odds {earlier} {day} {firm} --paths 100",
        "import": f"import {folder / 'trades.json'} --out {folder / 'imported'}",
        "export": f"export {on} --out {folder / 'export.jsonl'}",
        "verify": f"verify {on}",
        "audit": f"audit {on}",
        "why": f"why RULE-004 {on}",
        "regress": f"regress {DAY}",
        "status": f"status {on}",
        "portfolio": f"portfolio {on}",
        "calendar": f"calendar --config {config}",
        "config-check": f"config check {config}",
        "config-show": f"config show --config {config}",
        "config-try": f"config try {_LIMIT} --config {config} {on}",
        "config-set": f"config set {_LIMIT} --config {folder / 'own.toml'} {on} --untried --yes",
        "programme-show": f"programme show {firm}",
        "programme-status": f"programme status {firm} {on}",
        "programme-diff": "programme diff 2026-09-01 2026-10-10",
        "rules": "rules",
        "doctor": f"doctor --offline --config {config} {on}",
        "simulate-list": "simulate --list",
        "version": "version",
        "review": f"review {on} --quick",
        "redact": f"redact {day} --out {folder / 'shared.jsonl'} --config {config}",
        "evidence": f"audit {on} --evidence 2026-11-19 2026-11-19 --out {folder / 'evidence'}",
        "copy": f"copy {store} {folder / 'copied.db'}",
        "alerts": f'alerts test --config {folder / "own.toml"} --set alerts.channels=["json://127.0.0.1:1"]',
        "config-init": f"config init --out {folder / 'new.toml'}",
        "watchdog": f"watchdog --once {on}",
        "service-install": f"service install --dry-run --platform linux --config {config} {on}",
    }
    found = {name: shape_of(*printed(line.split())) for name, line in lines.items()}
    return {
        **found,
        **_of_an_engine(str(store)),
        **_of_a_broker(folder),
        **_of_the_stream(str(store)),
        **_of_live_lines(str(store)),
    }


def printed(words: list[str]) -> list[Any]:
    """What a command prints with --json: one document, or one a line."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = run([*words, "--json", "--quiet"] if words[0] not in ("simulate", "version") else [*words, "--json"])
    assert code in (0, 1, 2), f"{words}: exit code {code}"
    text = out.getvalue()
    assert text, f"{words}: exit code {code}, and nothing is printed"
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]


def _of_an_engine(store: str) -> dict[str, Shape]:
    [profile] = stored_profiles(store)
    lines = {
        "order-place": "order place MNQ buy 1 --stop-loss 40",
        "price": "price MNQ",
        "order-modify": "order modify-stop MNQ 20995",
        "flatten": "flatten",
        "cancel": "cancel --all",
        "lock": "lock 1h",
        "web": "web --no-open",
        "unlock": "unlock --reason mistake",
        "order-cancel": "order cancel 77",
        "order-close": "order close MNQ",
    }
    lock = ProfileLock(lock_path(store, profile), profile)
    try:
        with asked(store, profile) as engine:
            engine.desk.order(78, "MNQ", -1, type=4, stop="20990")
            return {name: shape_of(*printed([*line.split(), "--store", store])) for name, line in lines.items()}
    finally:
        lock.release()


def _of_a_broker(folder: Path) -> dict[str, Shape]:
    """What commands print that ask the broker, here the simulated one."""
    with gateway_running("past-month") as gateway, pytest.MonkeyPatch.context() as patched:
        patched.setenv(USER_NAME, gateway.user_name)
        patched.setenv(API_KEY, gateway.api_key)
        patched.setenv("RISKCORE_API_URL", gateway.api_url)
        patched.setenv("RISKCORE_RTC_URL", gateway.rtc_url)
        days = "--from 2026-11-17 --to 2026-11-18"
        lines = {"accounts": "accounts", "fetch": f"fetch {days} --unit hour --out {folder / 'fetched'}"}
        return {name: shape_of(*printed(line.split())) for name, line in lines.items()}


def _of_live_lines(store: str) -> dict[str, Shape]:
    """What `riskcore live --json` prints of what it stored: one shape for each type of line."""
    [profile] = stored_profiles(store)
    with Journal.open(store, profile) as journal:
        follower = Follower(journal, None, "")
        follower.catch_up()
        events = [event for _, event, _ in journal.read(journal.streams()[0], 0)]
    by_type: dict[str, list[Any]] = {}
    for row in happenings(events, follower.book):
        by_type.setdefault(str(row["type"]), []).append(json.loads(json.dumps(row, default=str)))
    return {f"live-{name}": shape_of(*rows) for name, rows in by_type.items()}


def _of_the_stream(store: str) -> dict[str, Shape]:
    """One shape for each type of message."""
    [profile] = stored_profiles(store)
    messages: list[Any] = []
    with Journal.open(store, profile) as journal:
        follower = Follower(journal, Telling(messages.append), "")
        follower.catch_up()
    by_type: dict[str, list[Any]] = {}
    for message in messages:
        row = json.loads(message.body)
        by_type.setdefault(row["type"], []).append(row)
    return {f"stream-{name}": shape_of(*rows) for name, rows in by_type.items()}
