"""What is kept beside a recording gives the same as its lines, and is never taken for another recording."""

import gzip
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from replay.columns import cache
from replay.columns.cache import NO_CACHE, cache_path
from replay.quote_lines import QuoteLines
from replay.recording import read_wire
from replay.replay_run import run_replay
from riskcore.core.quotes import Quotes
from riskcore.errors import InputError
from riskcore.schema.instants import utc_text
from tests.benchmarks.bench_replay import ALL_RULES, START, make_day

BAD = b"no line at all\n"


@pytest.fixture(autouse=True)
def _small_files_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "SMALLEST_BYTES", 0)
    monkeypatch.setattr(cache, "_PART_NUMBERS", 1000)


@pytest.fixture
def day(tmp_path: Path) -> Path:
    path = tmp_path / "day.jsonl"
    make_day(path, 3000)
    age(path)
    return path


def age(path: Path) -> None:
    """Let the last change of a file be a while ago."""
    os.utime(path, ns=(START, START))


def settle(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 10**10)


def facts(path: Path, *, from_cache: bool = True, skip_bad_lines: bool = False) -> tuple[Any, ...]:
    warnings: list[str] = []
    reader = read_wire(path, skip_bad_lines=skip_bad_lines, warn=warnings.append, from_cache=from_cache)
    found: list[Any] = []
    try:
        for items in reader:
            for item in items:
                found += item.rows(0, len(item)) if isinstance(item, Quotes) else [item]
    except InputError as error:
        warnings.append(str(error))
    return found, reader.sha256, reader.lines, reader.events, reader.rejected, reader.cut, warnings


def read_lines(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many blocks of lines are read from here on."""
    read, blocks = QuoteLines.read, []

    def counting(self: QuoteLines, block: bytes) -> Any:
        blocks.append(len(block))
        return read(self, block)

    monkeypatch.setattr(QuoteLines, "read", counting)
    return blocks


def test_a_kept_day_gives_the_same_without_its_quote_lines(day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch)
    plain = facts(day, from_cache=False)
    assert not cache_path(day).exists()
    assert facts(day) == plain
    blocks = read_lines(monkeypatch)
    assert facts(day) == plain
    assert not blocks
    monkeypatch.setattr(cache, "_sha256", lambda path: pytest.fail("the recording is as it was"))
    assert facts(day) == plain


def test_replay_prints_the_same(day: Path, tmp_path: Path) -> None:
    settings = tmp_path / "all.toml"
    settings.write_text(ALL_RULES, encoding="utf-8")
    results = [
        run_replay([day], config_path=settings, **options)
        for options in ({"every_event": True}, {}, {"from_cache": True}, {"from_cache": True})
    ]
    assert cache_path(day).exists()
    assert [json.dumps(one) for one in results] == [json.dumps(results[0])] * 4


def test_a_packed_day_is_kept_too(day: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "day.jsonl.gz"
    packed.write_bytes(gzip.compress(day.read_bytes(), mtime=0))
    plain = facts(packed)
    blocks = read_lines(monkeypatch)
    assert facts(packed) == plain
    assert not blocks


@pytest.mark.parametrize("skip_first", [True, False])
def test_bad_lines_are_judged_by_the_options_of_each_run(day: Path, skip_first: bool) -> None:
    lines = day.read_bytes().splitlines(keepends=True)
    lines[1500:1500] = [BAD, lines[0]]
    day.write_bytes(b"".join(lines))
    plain = {skip: facts(day, from_cache=False, skip_bad_lines=skip) for skip in (True, False)}
    assert "line 1501" in plain[False][-1][0]
    assert facts(day, skip_bad_lines=skip_first) == plain[skip_first]
    assert cache_path(day).exists() is skip_first
    assert facts(day, skip_bad_lines=True) == plain[True]
    assert facts(day, skip_bad_lines=False)[-1] == plain[False][-1]


def test_a_file_that_is_cut_off_is_not_kept(day: Path) -> None:
    day.write_bytes(day.read_bytes()[:-40])
    plain = facts(day, from_cache=False)
    assert facts(day) == facts(day) == plain
    assert plain[5]
    assert not cache_path(day).exists()


def _longer(day: Path) -> None:
    at = utc_text(START + 10**15)
    with day.open("ab") as file:
        file.write(f'{{"at":"{at}","clock":true}}\n'.encode())


def _same_size_and_time(day: Path) -> None:
    before = day.stat()
    data = day.read_bytes()
    place = data.rindex(b'"lastPrice":2') + len(b'"lastPrice":2')
    day.write_bytes(data[:place] + b"9" + data[place + 1 :])
    os.utime(day, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", [_longer, _same_size_and_time])
def test_a_changed_recording_is_read_anew(
    day: Path, change: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    before = facts(day)
    kept = cache_path(day).read_bytes()
    change(day)
    plain = facts(day, from_cache=False)
    assert plain != before
    assert facts(day) == facts(day) == plain
    assert cache_path(day).read_bytes() != kept


def test_a_copy_or_a_touched_file_is_known_by_its_content(day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = facts(day)
    age(day)
    blocks = read_lines(monkeypatch)
    settle(monkeypatch)
    assert facts(day) == plain
    monkeypatch.setattr(cache, "_sha256", lambda path: pytest.fail("known since the last time"))
    assert facts(day) == plain
    assert not blocks


@pytest.mark.parametrize("place", [0, 70, 200, -1, -5000])
def test_an_edited_cache_is_made_again(day: Path, place: int) -> None:
    plain = facts(day)
    kept = cache_path(day)
    data = bytearray(kept.read_bytes())
    data[place] ^= 1
    kept.write_bytes(data)
    assert facts(day) == plain
    assert kept.read_bytes() != data


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 100, b"0" * 64 + b"{}\n"])
def test_what_is_no_cache_is_not_taken_for_one(day: Path, content: bytes) -> None:
    plain = facts(day, from_cache=False)
    cache_path(day).write_bytes(content)
    assert facts(day) == plain


def test_one_made_by_another_version_is_made_again(day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = facts(day)
    monkeypatch.setattr(cache, "VERSION", "another")
    blocks = read_lines(monkeypatch)
    assert facts(day) == facts(day) == plain
    assert len(blocks) == 2, "the header's block and the rest, once"


def test_where_nothing_can_be_written_nothing_is_kept_and_nothing_said(
    day: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    plain = facts(day, from_cache=False)
    monkeypatch.setattr(Path, "write_bytes", full)
    assert facts(day) == plain
    assert [path.name for path in day.parent.iterdir()] == [day.name]


def test_the_environment_switches_it_off(day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NO_CACHE, "1")
    facts(day)
    assert not cache_path(day).exists()
