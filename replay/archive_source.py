"""An archive as the source of a copy: archived days go back into a store, messages included."""

from collections.abc import Iterator
from pathlib import Path

from replay.archive import check_archive, is_archive, messages_of, read_day
from replay.export import exported_links
from replay.kept_messages import read_messages
from replay.recording import open_lines
from riskcore.errors import ConfigError, Corrupt
from riskcore.schema.chain import HASH_LENGTH, Link, stream_of
from riskcore.schema.payloads import pack
from riskcore.store.archived import ArchivedDay
from riskcore.store.copying import End, Page
from riskcore.store.recorder import CachedState

_PAGE = 500


class ArchiveSource:
    """The days in a folder of `riskcore archive`. Raises ConfigError for another folder, Corrupt, InputError."""

    def __init__(self, folder: Path) -> None:
        if not is_archive(folder):
            raise ConfigError(f"{folder}: no archive; it has no file such as 2026-11-20.jsonl.gz")
        self.where = str(folder)
        self.archived: list[ArchivedDay] = []
        self.ends: dict[str, End] = {}
        self._files: dict[str, Path] = {}
        for path in check_archive(folder):
            day = read_day(path)
            if day.thinned:
                raise ConfigError(
                    f"{path}: {day.thinned:,} quotes of this day were left out when it was archived, so it cannot"
                    " become part of a journal again; every command reads the file where it is"
                )
            if not self._files and day.opened.previous_hash:
                raise ConfigError(
                    f"{folder}: begins with {path.name}, which hangs on an earlier day; put the files of the earlier"
                    " archive into the same folder"
                )
            name = stream_of(day.opened.profile, day.opened.day.trade_date)
            self.ends[name], self._files[name] = End(day.events, day.last_hash), path

    def digest_at(self, stream: str, seq: int) -> bytes:
        for _, number, _, state in self._links(stream):
            if number == seq:
                return state[:HASH_LENGTH]
        raise Corrupt(f"{self._files[stream]}: has no event {seq}")

    def pages(self, stream: str, after: int) -> Iterator[Page]:
        path = self._files[stream]
        messages = {seq: pack(link, lines) for (_, seq, link, lines), _ in read_messages(messages_of(path), path)}
        page: list[Link] = []
        for link in self._links(stream):
            if link[1] > after:
                page.append(link)
            if page and (len(page) == _PAGE or link[1] == self.ends[stream].seq):
                yield page, {place: messages[one[1]] for place, one in enumerate(page) if one[1] in messages}
                page = []

    def state(self, stream: str) -> CachedState | None:
        """An archive holds none; it only speeds up a start."""
        return None

    def _links(self, stream: str) -> Iterator[Link]:
        path = self._files[stream]
        for _, link in exported_links(open_lines(path), path.name, lambda _: None, True):
            yield link
