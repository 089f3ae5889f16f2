"""The digest is that of all bytes given, however they were cut."""

import hashlib

import pytest

from replay.blocks import PIECE_BYTES, HashAhead


@pytest.mark.parametrize("sizes", [[], [1], [PIECE_BYTES - 1], [PIECE_BYTES], [PIECE_BYTES + 1, 5], [1 << 20] * 13])
def test_the_digest_is_that_of_all_bytes(sizes: list[int]) -> None:
    ahead, plain = HashAhead(), hashlib.sha256()
    for number, size in enumerate(sizes):
        data = bytes([number % 251]) * size
        ahead.update(data)
        plain.update(data)
    assert ahead.hexdigest() == plain.hexdigest()
    ahead.update(b"more")
    plain.update(b"more")
    assert ahead.hexdigest() == plain.hexdigest()
