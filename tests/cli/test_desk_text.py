"""What the commands that ask a running engine print."""

import pytest

from riskcore.cli.desk_text import cancel_text


@pytest.mark.parametrize(
    ("orders", "words"),
    [(0, "no order is working"), (1, "1 order being cancelled"), (2, "2 orders being cancelled")],
)
def test_cancel_all_says_what_there_was(orders: int, words: str) -> None:
    row = {"account": 1, "account_name": "A", "open_positions": 0, "working_orders": orders}
    assert cancel_text({"carried_out": True, "accounts": [row]}) == f"A: {words}"
