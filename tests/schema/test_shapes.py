"""Every JSON output keeps the fields and types that were once released (docs/reference/stability.md)."""

import json
from pathlib import Path

import pytest

from tests.schema.shapes import FOLDER, Shape, broken_promises, shape_of, shapes

# The health of a live engine is compared where there is one (tests/cli/test_live_health.py).
NAMES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "health")


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shape]:
    with pytest.MonkeyPatch.context() as patched:
        folder = tmp_path_factory.mktemp("shapes")
        patched.setenv("XDG_DATA_HOME", str(folder))
        patched.setenv("XDG_CACHE_HOME", str(folder))
        patched.chdir(folder)
        return shapes(folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_nothing_frozen_is_gone(name: str, now: dict[str, Shape]) -> None:
    frozen = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert broken_promises(frozen, now[name]) == []


@pytest.mark.slow
def test_every_output_is_frozen(now: dict[str, Shape]) -> None:
    assert set(now) - set(NAMES) == set(), "run python -m tests.schema.write_shapes"


def test_documents_name_their_schema() -> None:
    unnamed = [name for name in NAMES if not name.startswith(("stream-", "live-")) and '"schema"' not in text_of(name)]
    assert unnamed == []


def text_of(name: str) -> str:
    return Path(FOLDER / f"{name}.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("after", "fault"),
    [
        ({"a": 1, "b": [{"c": "x"}]}, None),
        ({"a": 1, "b": [{"c": "x", "d": 1}], "new": True}, None),
        ({"a": "1", "b": [{"c": "x"}]}, "a may be string now, it was integer"),
        ({"a": None, "b": [{"c": "x"}]}, "a may be null now, it was integer"),
        ({"a": 1, "b": [{}]}, "b[].c is gone"),
        ({"b": [{"c": "x"}]}, "a is gone"),
        ({"a": 1.5, "b": [{"c": "x"}]}, "a may be number now, it was integer"),
    ],
)
def test_a_broken_promise_is_seen(after: object, fault: str | None) -> None:
    frozen = shape_of({"a": 1, "b": [{"c": "x"}]})
    assert broken_promises(frozen, shape_of(after)) == ([fault] if fault else [])


def test_keys_that_are_data_are_no_fields() -> None:
    assert shape_of({"days": {"2026-11-19": 1, "2026-11-20": "x"}}) == {
        "": "object",
        "days": "object",
        "days.*": "integer | string",
    }
