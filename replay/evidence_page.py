"""The page of an evidence pack: what is in it, how to check it, what was decided, and what the broker said when."""

import re
from collections.abc import Iterable
from html import escape
from typing import Any

from riskcore.settings.writers import toml_key
from riskcore.version import VERSION

Row = dict[str, Any]
MOST_MESSAGES = 5000
_AT = re.compile(r'"at":"([^"]+)"')
_BROKER = re.compile(r'"(?:updateTimestamp|creationTimestamp|lastUpdated|timestamp)":"([^"]+)"')
_WHAT = re.compile(r'"(?:target|rest|connection)":"([^"]+)"')
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#1a1a1a}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}td,th{border:1px solid #ccc;padding:.25rem .5rem;"
    "text-align:left;vertical-align:top;font-size:13px}code,pre{font:12px/1.4 ui-monospace,monospace;"
    "overflow-wrap:anywhere;white-space:pre-wrap}"
)
_WHAT_IS_HERE = (
    (
        "journal.jsonl.gz",
        "Every event, in order: what was received and what was decided. Each has the hash of all before it.",
    ),
    ("messages.jsonl.gz", "What the broker said, word for word. Each block belongs to the event whose hash covers it."),
    ("wire.jsonl.gz", "The same messages as a recording that can be replayed."),
    ("audit.json", "Breaches, commands, lockouts, fills and who made them, and the settings in force."),
    ("SHA256SUMS", "The hash of every file."),
)


def evidence_page(
    profile: str,
    report: Row,
    last_hashes: dict[str, str],
    files: dict[str, str],
    kept: Iterable[tuple[str, int, bytes]],
    missing: str | None,
) -> str:
    """The page as HTML. `kept`: day, seq and messages; `missing`: why there is no wire recording."""
    names = {account["id"]: account["name"] or account["id"] for account in report["accounts"]}
    parts = [
        f"<h1>Evidence: {escape(profile)}, {' to '.join(dict.fromkeys((min(last_hashes), max(last_hashes))))}</h1>",
        "<p>riskcore recorded these trading days while they happened. This page is for reading; the files beside it"
        " are the evidence.</p>",
        f"<p><strong>No wire recording:</strong> {escape(missing)}</p>" if missing else "",
        *_how_to_check(last_hashes, files),
        *_decisions(report, names),
        *_who_did_it(report, names),
        "<h2>Settings in force</h2>",
        *(
            f"<h3>from {escape(row['from'])} (riskcore {escape(row['version'])})</h3><pre>{escape(_toml(row))}</pre>"
            for row in report["settings"]
        ),
        "<h2>What the broker said</h2>",
        _messages(kept),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Evidence</title>'
        f"<style>{_STYLE}</style>\n{body}\n</html>\n"
    )


def _how_to_check(last_hashes: dict[str, str], files: dict[str, str]) -> list[str]:
    return [
        "<h2>What is here</h2>",
        _table(("file", "what it holds", "SHA-256"), [(n, text, files.get(n, "")) for n, text in _WHAT_IS_HERE]),
        "<h2>How to check it</h2>",
        "<pre>sha256sum -c SHA256SUMS\nriskcore verify FOLDER</pre>",
        "<p>The first command checks the files. The second checks that no event is missing or edited, that each message"
        " is the one that was stored with its event, and that today's riskcore decides the same from what was"
        f" received. This page was made by riskcore {VERSION}.</p>",
        "<p>Somebody who can write the store could make up a whole day. Compare the last hash of the day with the one"
        " that was sent with the closing alert.</p>",
        _table(("trading day", "last hash"), list(last_hashes.items())),
    ]


def _decisions(report: Row, names: dict[int, Any]) -> list[str]:
    return [
        "<h2>Breaches</h2>",
        _table(
            ("at", "account", "rule", "contract", "figures", "flags", "id"),
            [
                (
                    row["at"],
                    names.get(row["account"]),
                    row["rule"],
                    row["contract"],
                    ", ".join(f"{name} {value}" for name, value in row["figures"].items()),
                    ", ".join(row["flags"]),
                    row["id"],
                )
                for row in report["breaches"]
            ],
        ),
        "<h2>Commands</h2>",
        _table(
            ("at", "account", "command", "rule", "contract", "met at"),
            [
                (row["at"], names.get(row["account"]), row["kind"], row["rule"], row["contract"], row.get("met_at"))
                for row in report["commands"]
            ],
        ),
    ]


def _who_did_it(report: Row, names: dict[int, Any]) -> list[str]:
    return [
        "<h2>Fills, and who made them</h2>",
        _table(
            ("broker's time", "recorded at", "account", "contract", "side", "size", "price", "by", "why"),
            [
                (
                    row["at"],
                    row["recorded_at"],
                    names.get(row["account"]),
                    row["contract"],
                    row["side"],
                    row["size"],
                    row["price"],
                    f"{row['by']}, likely {row['likely']}" if row["likely"] else row["by"],
                    row["by_reason"],
                )
                for row in report["fills"]
            ],
        ),
        "<h2>Missed enforcement and over-enforcement</h2>",
        _table(
            ("at", "account", "kind", "what"),
            [
                (row["at"], names.get(row["account"]), row["kind"], row["text"])
                for row in (*report["missed_enforcement"], *report["over_enforcement"])
            ],
        ),
    ]


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    if not rows:
        return "<p>None.</p>"
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = ["".join(f"<td>{'' if value is None else escape(str(value))}</td>" for value in row) for row in rows]
    return f"<table><tr>{cells}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _messages(kept: Iterable[tuple[str, int, bytes]]) -> str:
    rows: list[tuple[Any, ...]] = []
    more = 0
    for day, seq, block in kept:
        for text in block.decode("utf-8", "replace").split("\n")[:-1]:
            if len(rows) >= MOST_MESSAGES:
                more += 1
                continue
            at, broker, what = (_first(pattern, text) for pattern in (_AT, _BROKER, _WHAT))
            rows.append((at, broker, f"{day} {seq}", what, text))
    note = f"<p>{more} more are in messages.jsonl.gz.</p>" if more else ""
    return _table(("received (ours)", "broker's time", "kept beside event", "what", "word for word"), rows) + note


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""


def _toml(row: Row) -> str:
    """Settings as they were written out, one a line."""

    def lines(prefix: str, value: Any) -> Iterable[str]:
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from lines(f"{prefix}.{toml_key(name)}" if prefix else toml_key(name), inner)
        else:
            yield f"{prefix} = {value!r}"

    return "\n".join(lines("", row["settings"]))
