"""Answers that a download has, kept by their content, so that one that broke off goes on where it was.

`answers/<SHA-256>.json` holds an answer, `manifest.jsonl` says which question it is of: a line is written only when
the answer is safely on the disk. A line that was cut off, or an answer that is not what its name says, is asked for
again. Nothing is ever changed in place.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from adapters.topstepx.fields import Object, decode, encode
from riskcore.errors import CannotWrite, ConfigError
from riskcore.store.private import open_private

FOLDER = ".fetch"


class Answers:
    """The answers of one folder. Raises ConfigError for what is no folder, CannotWrite where it cannot be written."""

    def __init__(self, out: Path, *, forget: bool = False) -> None:
        """`forget`: ask for everything again."""
        self._folder = out / FOLDER / "answers"
        self._manifest = out / FOLDER / "manifest.jsonl"
        if out.exists() and not out.is_dir():
            raise ConfigError(f"--out {out}: is no folder; the recordings need one")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotWrite(f"--out {out}: cannot be written: {error.strerror or error}") from None
        self._known: dict[str, str] = {} if forget else self._read()

    def get(self, question: Object) -> Any | None:
        """The answer kept for a question, None when there is none."""
        name = self._known.get(encode(question))
        if name is None:
            return None
        with suppress(OSError, ValueError):
            content = (self._folder / f"{name}.json").read_bytes()
            if hashlib.sha256(content).hexdigest() == name:
                return decode(content).value
        return None

    def keep(self, question: Object, answer: Any, *, lasting: bool) -> None:
        """Keep an answer; one that is not lasting counts for this run only.

        The same content is kept once, however many questions it answers.
        """
        content = encode(answer).encode()
        name = hashlib.sha256(content).hexdigest()
        path = self._folder / f"{name}.json"
        try:
            if not path.exists() or path.read_bytes() != content:
                _write(path, content)
            if lasting:
                _append(self._manifest, encode({"question": question, "sha256": name}).encode() + b"\n")
        except OSError as error:
            raise CannotWrite(f"{self._folder}: an answer cannot be kept: {error.strerror or error}") from None
        self._known[encode(question)] = name

    def _read(self) -> dict[str, str]:
        found: dict[str, str] = {}
        with suppress(OSError):
            for line in self._manifest.read_bytes().split(b"\n"):
                with suppress(ValueError, KeyError, TypeError):
                    row = decode(line).value
                    found[encode(row["question"])] = str(row["sha256"])
        return found


def _write(path: Path, content: bytes) -> None:
    """All of it under its name, or nothing. Raises OSError."""
    unfinished = path.with_suffix(".part")
    with os.fdopen(open_private(unfinished, os.O_WRONLY | os.O_TRUNC), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _append(path: Path, line: bytes) -> None:
    """A line at the end; one that an earlier run left unfinished is closed first. Raises OSError."""
    with os.fdopen(open_private(path, os.O_RDWR), "r+b") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            line = line if file.read(1) == b"\n" else b"\n" + line
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
