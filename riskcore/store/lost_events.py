"""A store that lacks events which it once confirmed: a standby that took over too early, a disk that was put back.

Nobody goes on there: a lockout may be among them. The writer that notices leaves a note on its own computer, so that a
start finds it too.
"""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from riskcore.errors import LostEvents
from riskcore.schema.chain import HASH_LENGTH, Head

if TYPE_CHECKING:
    from riskcore.store.recorder import JournalRecorder


def refuse_lost_events(recorder: "JournalRecorder", known: Head, note: Path) -> None:
    """Raise LostEvents, and leave a note, unless the store has the last event that this writer knows of."""
    if _has(recorder, known):
        return
    with suppress(OSError):
        note.write_text(f"{known.seq} {known.digest.hex()} {known.stream}\n", encoding="utf-8")
    raise _lost(known, note)


def refuse_noted(recorder: "JournalRecorder", note: Path) -> None:
    """Raise LostEvents while the store lacks what an earlier writer left a note of; then the note goes."""
    try:
        seq, digest, stream = note.read_text(encoding="utf-8").rstrip("\n").split(" ", 2)
        known = Head(stream, int(seq), bytes.fromhex(digest))
    except (OSError, ValueError):
        return
    if not _has(recorder, known):
        raise _lost(known, note)
    note.unlink(missing_ok=True)


def _has(recorder: "JournalRecorder", known: Head) -> bool:
    if not known.seq:
        return True
    return any(row[3][:HASH_LENGTH] == known.digest for row in recorder.rows(known.stream, known.seq - 1, 1))


def _lost(known: Head, note: Path) -> LostEvents:
    profile, _, day = known.stream.rpartition("/")
    return LostEvents(
        f"the journal of {profile} has lost events that it had confirmed: event {known.seq} of day {day} with hash"
        f" {known.digest.hex()} is not there, so a standby or a backup without it has taken over; use the store that"
        f" has it, or, if it is gone for good, check your positions and lockouts and delete {note}"
    )
