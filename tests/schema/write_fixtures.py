"""Writes the frozen example of every event version that has none: python -m tests.schema.write_fixtures

A fixture of a released version is never written again. `--rewrite` is for versions that no release has shipped.
"""

import sys
from pathlib import Path

from riskcore.schema.codec import encode_event
from riskcore.schema.registry import BODIES, topic_of
from tests.schema.examples import example_event

FOLDER = Path(__file__).parents[2] / "fixtures" / "schema"


def fixture_path(topic: str) -> Path:
    name, _, version = topic.partition(".")
    return FOLDER / f"{name}.v{version}.json"


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for body in BODIES.values():
        path = fixture_path(topic_of(body))
        if not path.exists() or "--rewrite" in sys.argv:
            path.write_bytes(encode_event(7, example_event(body))[1] + b"\n")


if __name__ == "__main__":
    main()
