"""Answers are kept whole or not at all, by their content."""

from pathlib import Path

import pytest

from adapters.topstepx.fields import decode
from replay.fetching.answers import Answers
from riskcore.errors import CannotWrite, ConfigError

QUESTION = {"ask": "bars", "from": "a"}
ANSWER = decode(b'[{"t":"x","o":49909.000000000}]').value


def blobs(out: Path) -> list[Path]:
    return sorted((out / ".fetch" / "answers").iterdir())


def test_an_answer_survives_the_process_with_its_very_digits(tmp_path: Path) -> None:
    Answers(tmp_path).keep(QUESTION, ANSWER, lasting=True)
    assert Answers(tmp_path).get(QUESTION) == ANSWER
    assert b"49909.000000000" in blobs(tmp_path)[0].read_bytes()
    assert Answers(tmp_path).get({**QUESTION, "from": "b"}) is None
    assert Answers(tmp_path, forget=True).get(QUESTION) is None


def test_an_answer_that_may_change_counts_for_one_run(tmp_path: Path) -> None:
    answers = Answers(tmp_path)
    answers.keep(QUESTION, ANSWER, lasting=False)
    assert answers.get(QUESTION) == ANSWER
    assert Answers(tmp_path).get(QUESTION) is None


def test_the_same_content_is_kept_once(tmp_path: Path) -> None:
    answers = Answers(tmp_path)
    for number in range(5):
        answers.keep({**QUESTION, "from": number}, [], lasting=True)
    assert len(blobs(tmp_path)) == 1
    assert Answers(tmp_path).get({**QUESTION, "from": 4}) == []


@pytest.mark.parametrize("damaged", [b"", b"[]", b'[{"t":"x","o":49909.00000000'])
def test_what_was_damaged_is_asked_for_again(tmp_path: Path, damaged: bytes) -> None:
    Answers(tmp_path).keep(QUESTION, ANSWER, lasting=True)
    blobs(tmp_path)[0].write_bytes(damaged)
    answers = Answers(tmp_path)
    assert answers.get(QUESTION) is None
    answers.keep(QUESTION, ANSWER, lasting=True)
    assert Answers(tmp_path).get(QUESTION) == ANSWER


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_manifest_cut_off_anywhere_loses_its_last_line_only(tmp_path: Path, cut: int) -> None:
    answers = Answers(tmp_path)
    answers.keep(QUESTION, ANSWER, lasting=True)
    answers.keep({**QUESTION, "from": "b"}, [], lasting=True)
    manifest = tmp_path / ".fetch" / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-1][:-cut])
    again = Answers(tmp_path)
    assert (again.get(QUESTION), again.get({**QUESTION, "from": "b"})) == (ANSWER, None)
    again.keep({**QUESTION, "from": "b"}, [1], lasting=True)
    assert Answers(tmp_path).get({**QUESTION, "from": "b"}) == [1]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "days").write_text("")
    with pytest.raises(ConfigError, match="is no folder"):
        Answers(tmp_path / "days")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match="cannot be written"):
        Answers(tmp_path / "file" / "days")
