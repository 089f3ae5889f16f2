"""Freezes new fields of the JSON outputs: python -m tests.schema.write_shapes

What is frozen stays: a field that is gone, or of another type, is a new schema version and not a new shape.
"""

import json
import tempfile
from pathlib import Path

from tests.schema.shapes import FOLDER, shapes, together


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        found = shapes(Path(folder))
    for name, shape in found.items():
        path = FOLDER / f"{name}.json"
        frozen = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        path.write_text(json.dumps(together(frozen, shape), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
