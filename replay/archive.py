"""Closed days out of a store into files: a journal export a day, its messages beside it, read back before they leave.

A day leaves in five steps, each durable before the next: its files are written, synced and named; they are read back
and must give the very chain of the store; the store notes the day as archived and takes it out, in one transaction.
Killed anywhere, the same command goes on: a file that is there already must hold the same day. The files hang on one
another as the days do: each names the last hash of the day before, and the store knows the last one.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import file_digest
from itertools import groupby
from pathlib import Path

from replay.export import exported_links
from replay.kept_messages import read_messages, write_messages
from replay.recording import open_lines
from replay.thinning import Trial, thinned_links, try_out
from riskcore.core.events import TradingDayOpened
from riskcore.errors import CannotWrite, ConfigError, Corrupt, InputError, StoreError
from riskcore.schema.chain import stream_of
from riskcore.schema.export import Stored, ignore, read_export
from riskcore.schema.payloads import NO_LINK
from riskcore.store.archived import ArchivedDay, archive_sentence
from riskcore.store.copying import Progress
from riskcore.store.export_file import write_export
from riskcore.store.journal import Journal
from riskcore.store.private import create_private

ENDING, MESSAGES_ENDING = ".jsonl.gz", ".messages.gz"
_DATE = "????-??-??"


@dataclass(frozen=True, slots=True)
class FileOfDay:
    """What the session file of one day proves: its day, how many events, what it hangs on, where it ends."""

    opened: TradingDayOpened
    events: int
    last_hash: bytes
    thinned: int  # Quotes that were left out.


@dataclass(frozen=True, slots=True)
class Left:
    """A day that left, how many of its quotes were left out, and why none were where that was asked for."""

    day: ArchivedDay
    thinned: int
    kept_whole: str | None


def archive(
    journal: Journal, before: str, folder: Path, progress: Progress, *, thin_quotes: bool = False
) -> list[Left]:
    """Move the closed days before a trade date into a folder; those that left now. The journal is open for writing.

    `thin_quotes`: leave out quotes that no decision needs (replay/thinning.py); a day that needs them all stays whole.

    Raises ConfigError for a folder that holds something else, CannotWrite, Corrupt, StoreError: what left by then has
    left, all else is still in the store.
    """
    days = [day for day in journal.streams()[:-1] if day < before]
    _prepare(folder, journal)
    left: list[Left] = []
    for place, day in enumerate(days):
        progress(f"{journal.profile} {day}", journal.last_seq(day), place / len(days))
        trial = try_out(event for _, event, _ in journal.read(day)) if thin_quotes else Trial(0, None)
        journal.tidy()  # A lease on a server is to be renewed meanwhile.
        archived = _written(journal, day, folder, trial.left_out)
        journal.tidy()
        journal.take_out([archived])
        left.append(Left(archived, trial.left_out, trial.refused))
    if left or journal.archived():
        _give_space_back(journal, folder, left)
    return left


def _give_space_back(journal: Journal, folder: Path, left: list[Left]) -> None:
    """The journal's file is written anew, for which there must be room. Raises StoreError, and says what is done."""
    try:
        journal.recorder.give_space_back()
    except StoreError as error:
        moved = f"the days up to {left[-1].day.trade_date} are in {folder}, but " if left else ""
        raise type(error)(f"{moved}{error}; make as much room as the journal takes and repeat the command") from error


def _prepare(folder: Path, journal: Journal) -> None:
    """Files of other days may lie in the folder if they are of the same journal.

    Among them the file of a later day: a run that was to move it was interrupted before the day left.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"{folder}: cannot be made ({error.strerror or error})") from error
    known = {*journal.streams()[:-1], *(day.trade_date for day in journal.archived())}
    for path in session_files(folder):
        if date_of(path) not in known:
            raise ConfigError(
                f"{path}: a day that is not of this journal of profile {journal.profile}; name another folder"
            )


def _written(journal: Journal, day: str, folder: Path, thinned: int) -> ArchivedDay:
    """The files of a day, written unless they are there, and read back: they are what the store holds."""
    path, messages = folder / f"{day}{ENDING}", folder / f"{day}{MESSAGES_ENDING}"
    there = path.exists()
    if not there:
        with write_export(path) as writer:
            if thinned:
                writer.begin(journal.profile, journal.opening(day).previous_hash, thinned)
                for page in journal.pages(day):
                    writer.add_links([*thinned_links(page)])
            else:
                journal.export([day], writer)
    if not messages.exists():
        write_messages(journal, [day], messages)
    for written in (path, messages):
        create_private(written)
    _sync(folder)
    *_, (seq, _, digest) = journal.stored_bytes(day)
    *_, link = [NO_LINK, *(link for _, _, link in journal.linked_messages(day))]
    try:
        found = read_day(path)
        if found.thinned != thinned:
            raise _not_the_day(path, there, f"it was written {'with' if found.thinned else 'without'} --thin-quotes")
        if thinned:
            _compare_quotes(journal, day, path)
        last_link, first_before = _read_links(messages, path)
    except (Corrupt, InputError) as error:
        raise _not_the_day(path, there, str(error)) from error
    same = found.opened == journal.opening(day) and (found.events, found.last_hash) == (seq, digest)
    hangs = first_before in (None, journal.messages_hang_on(day))
    if not same or not hangs or last_link != link:
        raise _not_the_day(path, there, "its chain is another")
    return ArchivedDay(stream_of(journal.profile, day), seq, digest, link, str(path.resolve()), sha256_of(path))


def sha256_of(path: Path) -> str:
    """The hash of a file. Raises OSError."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _compare_quotes(journal: Journal, day: str, path: Path) -> None:
    """The chain says nothing of quotes that stay in a thinned day: each line is compared. Raises Corrupt."""
    stored = (link for page in journal.pages(day) for link in thinned_links(page))
    found = (link for _, link in exported_links(open_lines(path), path.name, ignore, True))
    for ours, theirs in zip(stored, found, strict=True):
        if ours != theirs:
            raise Corrupt(f"event {ours[1]} is another")


def _not_the_day(path: Path, there: bool, why: str) -> Exception:
    if there:
        return ConfigError(
            f"{path} is there already and does not hold the day of this journal ({why}); name another folder"
        )
    return Corrupt(f"{path} does not read back as it was written ({why}); the day stays in the store")


def _sync(folder: Path) -> None:
    """Make the names in a folder durable; Windows does so by itself and cannot be asked."""
    with suppress(PermissionError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# ---- reading -----------------------------------------------------------------------------------------


def is_archive(folder: Path) -> bool:
    """Whether a folder holds archived days."""
    return folder.is_dir() and bool(session_files(folder))


def session_files(folder: Path) -> list[Path]:
    """The session files of an archive, oldest first."""
    return sorted(folder.glob(f"{_DATE}{ENDING}"))


def date_of(path: Path) -> str:
    return path.name.removesuffix(ENDING)


def read_day(path: Path) -> FileOfDay:
    """Read the session file of one day to its end, its chain checked. Raises Corrupt, InputError."""
    opened, events, last_hash = None, 0, b""
    thinned: list[int] = []
    for seq, event, digest in whole_day(path, thinned.append):
        if isinstance(event.body, TradingDayOpened):
            opened = event.body if opened is None else None
        events, last_hash = seq, digest
    if opened is None or opened.day.trade_date != date_of(path):
        raise Corrupt(f"{path}: does not hold the day that it is named after, and no other")
    return FileOfDay(opened, events, last_hash, sum(thinned))


def whole_day(path: Path, note_thinned: Callable[[int], object] = ignore) -> Iterator[Stored]:
    """The events of a file that must have its end. Raises Corrupt, InputError."""
    return read_export(open_lines(path), path.name, strict=True, note_thinned=note_thinned)


def opening_of(path: Path) -> TradingDayOpened:
    """What the day in a session file began with. Raises Corrupt, InputError."""
    for _, event, _ in whole_day(path):
        if isinstance(event.body, TradingDayOpened):
            return event.body
        break
    raise Corrupt(f"{path}: does not begin with the opening of a day")


def quotes_left_out(path: Path) -> int:
    """How many quotes of the day in a session file were left out. Raises Corrupt, InputError."""
    thinned: list[int] = []
    next(whole_day(path, thinned.append), None)
    return sum(thinned)


def messages_of(path: Path) -> Path:
    """The messages beside a session file."""
    return path.with_name(f"{date_of(path)}{MESSAGES_ENDING}")


def _read_links(messages: Path, path: Path) -> tuple[bytes, bytes | None]:
    """The last link of a day's messages and the one its first hangs on. Raises Corrupt."""
    last, first_before = NO_LINK, None
    for (_, _, link, _), before in read_messages(messages, path):
        last, first_before = link, before if first_before is None else first_before
    return last, first_before


def check_archived(
    days: list[ArchivedDay], damaged: Callable[[str, str], None], lacks: Callable[[str, None, str], None]
) -> None:
    """Look at the files of days that left, as far as they are where they were written; tell what is wrong with them.

    `damaged` is told the file and a sentence, `lacks` the folder and a sentence about files that are not there.
    """
    for folder, in_it in groupby(days, lambda day: Path(day.file).parent):
        away = []
        for day in in_it:
            if not Path(day.file).is_file():
                away.append(day)
                continue
            try:
                _compare_with_noted(day)
            except (InputError, StoreError, OSError) as error:
                damaged(Path(day.file).name, str(error))
        if away:
            files = "its file is" if len(away) == 1 else "their files are"
            lacks(str(folder), None, f"{archive_sentence(away)}, and {files} not there")


def _compare_with_noted(day: ArchivedDay) -> None:
    """Compare the files of a day that left with what the store noted of them. Raises Corrupt, InputError, OSError.

    The chain proves events and the messages that are there. Quotes that stay in a thinned day are proved by the hash of
    the file alone, and that no message at the end is missing by the last link alone.
    """
    path = Path(day.file)
    if quotes_left_out(path) and sha256_of(path) != day.sha256:
        raise Corrupt(f"{path}: not the file that was written when day {day.trade_date} left: its quotes were edited")
    messages = messages_of(path)
    if not messages.is_file():
        raise Corrupt(f"{messages}: the messages of that day are missing")
    if _read_links(messages, path)[0] != day.last_link:
        raise Corrupt(f"{messages}: does not end as it did when day {day.trade_date} left: messages are missing")


def check_archive(folder: Path) -> list[Path]:
    """The session files of an archive, once messages and the links from file to file are found right.

    Of the events only their links are looked at here. Raises Corrupt.
    """
    files = session_files(folder)
    before, before_link = None, None
    for previous, path in zip((None, *files), files, strict=False):
        day = read_day(path)
        if previous is not None and day.opened.previous_hash != before:
            raise Corrupt(
                f"{path}: does not hang on {previous.name}: the file of a day between them is missing, or one of the"
                " two was replaced"
            )
        if not messages_of(path).is_file():
            raise Corrupt(f"{messages_of(path)}: the messages of that day are missing")
        link, hangs_on = _read_links(messages_of(path), path)
        if before_link is not None and hangs_on not in (None, before_link):
            raise Corrupt(f"{messages_of(path)}: does not hang on the messages of the day before")
        before, before_link = day.last_hash.hex(), link
    return files
