import gzip
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from replay.recording import open_lines
from riskcore.errors import CannotWrite, Corrupt, InputError
from riskcore.schema.export import Stored, ignore, read_export
from riskcore.store.export_file import write_export, write_file
from tests.store.days import day


def written(path: Path) -> bytes:
    with write_export(path) as writer:
        writer.add_events(day(3))
    return path.read_bytes()


def read_file(path: Path, warn: Callable[[str], None] = ignore, strict: bool = False) -> Iterator[Stored]:
    return read_export(open_lines(path), path.name, warn, strict)


def test_a_compressed_export_has_the_same_bytes_whatever_its_name_and_time(tmp_path: Path) -> None:
    assert written(tmp_path / "one.jsonl.gz") == written(tmp_path / "two.jsonl.gz")
    assert gzip.decompress(written(tmp_path / "one.jsonl.gz")) == written(tmp_path / "one.jsonl")


def test_compressed_days_may_be_concatenated(tmp_path: Path) -> None:
    data = written(tmp_path / "one.jsonl.gz")
    (tmp_path / "two.jsonl.gz").write_bytes(data + data)
    assert len(list(read_file(tmp_path / "two.jsonl.gz", strict=True))) == 8


def broken_writer(path: Path) -> None:
    with write_export(path) as writer:
        writer.add_events(day(3))
        raise KeyError


def test_a_writer_that_fails_leaves_no_file(tmp_path: Path) -> None:
    for name in ("day.jsonl", "day.jsonl.gz"):
        with pytest.raises(KeyError):
            broken_writer(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_failing_writer_keeps_the_file_that_was_there(tmp_path: Path) -> None:
    before = written(tmp_path / "day.jsonl")
    with pytest.raises(KeyError):
        broken_writer(tmp_path / "day.jsonl")
    assert (tmp_path / "day.jsonl").read_bytes() == before


def test_folders_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="cannot be written"), write_export(tmp_path / "none" / "day.jsonl"):
        pass
    for path in (tmp_path / "none.jsonl", tmp_path / "none.jsonl.gz", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            list(read_file(path))


def test_a_compressed_export_cut_at_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl.gz"
    data = written(path)
    intact = list(read_file(path))
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with suppress(InputError, Corrupt):
            # Only the checksum of the compressed file can be missing: every event and the last line are there.
            assert list(read_file(path, strict=True)) == intact
        warnings: list[str] = []
        try:
            got = list(read_file(path, warnings.append))
        except InputError:
            continue  # Cut before the header was through.
        except Corrupt:
            assert length == 1  # Half of the mark of a compressed file.
            continue
        assert len(warnings) == 1 or got == intact
        assert got == intact[: len(got)]


def test_a_compressed_export_with_a_flipped_bit(tmp_path: Path) -> None:
    """Found, or without effect: the time in the gzip header and the padding of its last byte say nothing."""
    path = tmp_path / "day.jsonl.gz"
    data = written(path)
    intact = list(read_file(path))
    for position in range(len(data)):
        for bit in range(8):
            edited = bytearray(data)
            edited[position] ^= 1 << bit
            path.write_bytes(edited)
            got: list[Stored] = []
            warnings: list[str] = []
            try:
                got.extend(read_file(path, warnings.append))
            except (InputError, Corrupt):
                assert got == intact[: len(got)]
            else:
                assert got == intact or (warnings and got == intact[: len(got)])


posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


@posix_only
def test_of_a_link_the_file_it_points_to_is_written(tmp_path: Path) -> None:
    link = tmp_path / "link.jsonl"
    link.symlink_to(tmp_path / "file.jsonl")
    write_file(link, b"lines")
    assert link.is_symlink()
    assert (tmp_path / "file.jsonl").read_bytes() == b"lines"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.jsonl", "link.jsonl"]


@posix_only
@pytest.mark.parametrize("name", ["pipe", "pipe.jsonl.gz"])
def test_a_pipe_is_never_replaced_and_without_a_reader_never_waited_for(tmp_path: Path, name: str) -> None:
    pipe = tmp_path / name
    os.mkfifo(pipe)
    with pytest.raises(CannotWrite):
        write_file(pipe, b"lines")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_file(pipe, b"lines")
    read = os.read(reader, 100)
    os.close(reader)
    assert (gzip.decompress(read) if name.endswith(".gz") else read) == b"lines"
    assert pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_devices_are_written_to(tmp_path: Path) -> None:
    write_file(Path("/dev/null"), b"lines")
    with pytest.raises(CannotWrite, match="/dev/full: cannot be written"):
        write_file(Path("/dev/full"), b"lines")
    assert Path("/dev/null").is_char_device()
