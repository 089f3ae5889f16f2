"""Finished pieces on disk: found again, and never believed when they are not as they were written."""

from pathlib import Path

import pytest

from replay.sweep.cache import Cache
from replay.sweep.outcome import Outcome

ROW = Outcome(99000001, "2026-11-16", -5_000_000, 2_480_000, 0, 1, 2, 60_000_000_000, -7_000_000, None, "stale_fill")
PIECE, FIRST, SECOND = "a" * 64, "b" * 64, "c" * 64


def filled(folder: Path) -> Path:
    cache = Cache(folder)
    cache.add(PIECE, FIRST, [ROW])
    cache.add(PIECE, SECOND, [])
    return folder / f"{PIECE}.jsonl"


def read(folder: Path) -> tuple[dict[str, list[Outcome]], list[str]]:
    warnings: list[str] = []
    return Cache(folder, warnings.append).read(PIECE), warnings


def test_what_was_added_is_found(tmp_path: Path) -> None:
    filled(tmp_path)
    assert read(tmp_path) == ({FIRST: [ROW], SECOND: []}, [])
    assert Cache(tmp_path).read("d" * 64) == {}


@pytest.mark.parametrize(
    ("old", "new"), [(b"-7000000", b"-6000000"), (b"stale_fill", b"stale_kill"), (b'"bbbb', b'"dbbb'), (b"[[", b"[")]
)
def test_an_edited_line_counts_for_nothing(old: bytes, new: bytes, tmp_path: Path) -> None:
    file = filled(tmp_path)
    content = file.read_bytes()
    assert old in content
    file.write_bytes(content.replace(old, new, 1))
    found, warnings = read(tmp_path)
    assert found == {SECOND: []}
    assert len(warnings) == 1
    assert "made again" in warnings[0]


def test_every_cut_leaves_what_is_whole(tmp_path: Path) -> None:
    file = filled(tmp_path)
    content = file.read_bytes()
    first = content.index(b"\n", 1)
    for end in range(len(content)):
        file.write_bytes(content[:end])
        assert read(tmp_path)[0] == (
            {FIRST: [ROW]} if first <= end < len(content) - 1 else {} if end < first else {FIRST: [ROW], SECOND: []}
        )
        Cache(tmp_path).add(PIECE, SECOND, [])
        assert SECOND in read(tmp_path)[0]


def test_lines_of_another_piece_do_not_count(tmp_path: Path) -> None:
    filled(tmp_path).rename(tmp_path / f"{'d' * 64}.jsonl")
    assert Cache(tmp_path).read("d" * 64) == {}


def test_a_folder_that_cannot_be_made_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    warnings: list[str] = []
    cache = Cache(tmp_path / "file" / "cache", warnings.append)
    cache.add(PIECE, FIRST, [ROW])
    cache.add(PIECE, SECOND, [ROW])
    assert len(warnings) == 1
    assert "nothing is kept" in warnings[0]
