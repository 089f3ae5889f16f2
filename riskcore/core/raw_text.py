"""The text of what could not be read, as it may be kept: no secrets, not too long, and always storable."""

import re

RAW_CHARACTERS = 4096  # How much of a rejected payload's text is kept.
WITHHELD = "(withheld: it may hold a login)"
# In what the broker said of an account nothing but a token or the words that carry one is a secret.
_TOKEN = re.compile(rb'eyJ[\w-]{8}|[Bb]earer |[Tt]oken\\*"|[Pp]assword\\*"')
# Names of secrets, paths that carry them, and the beginning of every JSON web token.
_SECRET = re.compile(r'auth/|login|token|key"|password|username|bearer |eyj[\w-]{8}', re.IGNORECASE)


def kept_text(text: str) -> str:
    """A text cut at RAW_CHARACTERS, or withheld when it may hold a login."""
    if _SECRET.search(text):
        return WITHHELD
    return text[:RAW_CHARACTERS].encode("utf-8", "replace").decode("utf-8")


def holds_secret(text: bytes) -> bool:
    """Whether a message holds a token or a password, so that it must not be kept as it came."""
    return _TOKEN.search(text) is not None


def unreadable(error: BaseException) -> str:
    """Why a line is rejected that riskcore itself failed to read."""
    return kept_text(f"riskcore itself went wrong on this line ({type(error).__name__}: {error})")
