"""An evidence pack: what the broker said, what riskcore decided, under which settings, and how to check all of it.

A folder with the journal export, the messages that were kept, the wire recording made of them, the audit, a page that
explains them, and the hash of every file. `riskcore verify FOLDER` checks it; `sha256sum -c` the files alone.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from replay.evidence_page import evidence_page
from replay.kept_messages import read_messages, write_messages
from replay.source import Source, batches
from replay.wire_export import WireExport, write_day
from riskcore.audit.following import open_journal
from riskcore.audit.log import AuditLog
from riskcore.audit.report import audit_report
from riskcore.errors import CannotWrite, ConfigError, Corrupt
from riskcore.store.export_file import write_export, written_whole
from riskcore.store.journal import Journal
from riskcore.store.private import create_private

JOURNAL, WIRE, MESSAGES, AUDIT, PAGE = (
    "journal.jsonl.gz",
    "wire.jsonl.gz",
    "messages.jsonl.gz",
    "audit.json",
    "evidence.html",
)
SUMS = "SHA256SUMS"
Row = dict[str, Any]


def write_evidence(source: Source, first: str, last: str, folder: Path, accounts: tuple[str, ...] = ()) -> Row:
    """Write the pack of the trading days from `first` to `last` into a new folder; what was written.

    Raises ConfigError for session files, a range without days and a folder that has files, CannotWrite, StoreError.
    """
    if source.sessions:
        raise ConfigError("--evidence reads the journal: session files hold no messages beside their events")
    with open_journal(source.store, source.profile, source.config_path) as (journal, stored):
        days = [day for day in stored if first <= day <= last]
        if not days:
            raise ConfigError(f"profile {journal.profile} has no day from {first} to {last}; it holds {_range(stored)}")
        _begin(folder)
        try:
            return _write(journal, days, folder, accounts)
        except OSError as error:
            raise CannotWrite(f"{folder}: the evidence cannot be written ({error.strerror or error})") from error


def _range(stored: list[str]) -> str:
    return f"{stored[0]} to {stored[-1]}" if stored else "nothing"


def _begin(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ConfigError(f"{folder}: already has files; name a new folder")
    except OSError as error:
        raise CannotWrite(f"{folder}: cannot be made ({error.strerror or error})") from error


def _write(journal: Journal, days: list[str], folder: Path, accounts: tuple[str, ...]) -> Row:
    with write_export(folder / JOURNAL) as writer:
        journal.export(days, writer)
    messages = write_messages(journal, days, folder / MESSAGES)
    missing = _write_wire(journal, days, folder / WIRE)
    log = AuditLog()
    last_hashes = {}
    for day in days:
        for events in batches(journal.read(day)):
            log.listen(events)
        for _, _, hashed in journal.read(day, journal.last_seq(day) - 1):
            last_hashes[day] = hashed.hex()
    report = audit_report(log.finish(), accounts)
    (folder / AUDIT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    files = [name for name in (JOURNAL, MESSAGES, WIRE, AUDIT) if (folder / name).exists()]
    hashes = {name: _sha256(folder / name) for name in files}
    kept = ((day, seq, block) for day in days for seq, block in journal.messages(day))
    page = evidence_page(journal.profile, report, last_hashes, hashes, kept, missing)
    (folder / PAGE).write_text(page, encoding="utf-8")
    hashes[PAGE] = _sha256(folder / PAGE)
    (folder / SUMS).write_text("".join(f"{value}  {name}\n" for name, value in hashes.items()), encoding="utf-8")
    for name in (*hashes, SUMS):
        create_private(folder / name)
    return {"folder": str(folder), "days": days, "messages": messages, "files": hashes, "wire_missing": missing}


def _write_wire(journal: Journal, days: list[str], path: Path) -> str | None:
    """The wire recording, or why there is none."""
    try:
        with written_whole(path) as write:
            writer = WireExport(write)
            for day in days:
                write_day(journal, day, writer)
            writer.close()
    except ConfigError as error:
        return str(error)
    return None


def _sha256(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


# ---- checking ----------------------------------------------------------------------------------------


def is_evidence(path: Path) -> bool:
    """Whether a folder is such a pack."""
    return (path / SUMS).is_file()


def check_files(folder: Path) -> list[Path]:
    """The session files of a pack, once its hashes and its messages are found right. Raises Corrupt."""
    names = []
    for line in (folder / SUMS).read_text(encoding="utf-8").splitlines():
        said, _, name = line.partition("  ")
        path = folder / name
        if "/" in name or not path.is_file():
            raise Corrupt(f"{folder}: {name} is missing")
        if _sha256(path) != said:
            raise Corrupt(f"{path}: does not have the hash that {SUMS} gives: it was edited or damaged")
        names.append(name)
    if JOURNAL not in names or MESSAGES not in names:
        raise Corrupt(f"{folder}: {SUMS} does not name {JOURNAL} and {MESSAGES}")
    for _ in read_messages(folder / MESSAGES, folder / JOURNAL):
        pass
    return [folder / name for name in (JOURNAL, WIRE) if name in names]
