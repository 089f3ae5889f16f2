"""Random texts of quotes, plain and broken, for the two fast readers that must agree with the normaliser."""

import string

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

_NUMBERS = st.one_of(
    st.integers(-(10**16), 10**16).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["null", "NaN", "true", '"5"', "[]", "{}", "-0", "1E2", "49909.000000000", "1.", ".5", "00", "-"]),
)


def fields(*names: str) -> SearchStrategy[str]:
    """Up to six fields of a quote with these names, in any order and repeated."""
    pairs = st.lists(st.tuples(st.sampled_from(names), _NUMBERS), max_size=6)
    return pairs.map(lambda pairs: ",".join(f'"{name}":{value}' for name, value in pairs))


def contracts(usual: str) -> SearchStrategy[str]:
    return st.one_of(st.just(usual), st.text(string.printable.replace('"', "").replace("\\", ""), max_size=8))


def broken(wholes: SearchStrategy[bytes]) -> SearchStrategy[bytes]:
    """A text with a byte put in, replaced or left out somewhere."""
    return st.builds(
        lambda text, place, byte, cut: text[: place % len(text)] + byte + text[place % len(text) + cut :],
        wholes,
        st.integers(0, 10**6),
        st.sampled_from([bytes([code]) for code in range(9, 127) if code != 10] + [b"", b'"', b"\\u0031", b"\xff"]),
        st.integers(0, 2),
    )
