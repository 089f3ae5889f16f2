"""A fingerprint of the code that folds events: a remembered state of other code is worth nothing."""

from functools import cache
from hashlib import sha256
from pathlib import Path

import riskcore.core


@cache
def core_fingerprint() -> str:
    """SHA-256 (hexadecimal) over every source file of riskcore.core, rules included."""
    digest = sha256()
    folder = Path(riskcore.core.__path__[0])
    for path in sorted(folder.rglob("*.py"), key=lambda found: found.relative_to(folder).as_posix()):
        source = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.relative_to(folder).as_posix()} {len(source)}\n".encode())
        digest.update(source)
    return digest.hexdigest()
