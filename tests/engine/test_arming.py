"""What an engine says once it is armed."""

from typing import Any

import pytest

from riskcore.engine.arming import tell_ready
from riskcore.settings.config import read_settings


class Announced:
    """An announcer that keeps what it was told."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    def say(self, kind: str, /, **figures: Any) -> None:
        self.said.append(figures)

    def stored(self, events: object, book: object) -> None:
        raise AssertionError("nothing is stored")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("[rules.max_contracts]\nlimit = 2\n", 1),
        ("[programme]\n", 1),
        ("[accounts.A.programme]\n", 1),
        ("[[group]]\n[[group]]\n", 2),
    ],
)
def test_programmes_and_groups_count_among_what_is_enforced(text: str, count: int) -> None:
    announced = Announced()
    tell_ready(announced, [], True, read_settings(f'[profile]\nname = "p"\n{text}').plain)
    assert [one["rules"] for one in announced.said] == [count]
