"""Products that are one market to the firm: opposite positions in them are a hedge (PROGRAMME.md 5, PROG-HEDGE)."""

from collections.abc import Callable

FAMILIES: tuple[tuple[str, ...], ...] = (
    ("ES", "MES"),
    ("NQ", "MNQ"),
    ("YM", "MYM"),
    ("RTY", "M2K"),
    ("CL", "MCL", "QM"),
    ("NG", "MNG", "QG"),
    ("GC", "MGC"),
    ("SI", "SIL"),
    ("HG", "MHG"),
    ("6E", "E7", "M6E"),
    ("6A", "M6A"),
    ("6B", "M6B"),
)
# The other reading of R7: the equity indices move together and are one family.
INDICES = ("ES", "NQ", "YM", "RTY")
INDEX = "index"  # Its name in `readings`, and the name of the family.
_FAMILY_OF = {root: family[0] for family in FAMILIES for root in family}


def family_of(root: str) -> str:
    """The family of a root, named after its largest contract; a root in none is its own."""
    return _FAMILY_OF.get(root, root)


def family_by(reading: str) -> Callable[[str], str]:
    """How a reading of `correlated` tells families apart: `family` or `index` (PROGRAMME.md 10, R7)."""
    if reading != INDEX:
        return family_of
    return lambda root: INDEX if family_of(root) in INDICES else family_of(root)
