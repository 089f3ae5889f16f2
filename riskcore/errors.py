"""The one error tree. Each error says what is wrong, where, and what to do; `exit_code` is INTERFACE.md 1."""


class RiskcoreError(Exception):
    """Base of every error riskcore raises on purpose."""

    exit_code = 1


class ConfigError(RiskcoreError):
    """A setting or an option is unknown, of the wrong type or out of range."""

    exit_code = 2


class InputError(RiskcoreError):
    """A file cannot be read: no recording, cut off, tampered with."""

    exit_code = 3


class CannotWrite(RiskcoreError):
    """A file cannot be written: the disk is full, the folder is not ours."""

    exit_code = 6


class StoreError(RiskcoreError):
    """The journal cannot be opened, read or written."""

    exit_code = 3


class OutOfSequence(StoreError):
    """Somebody else appended to the stream: this writer's picture is old and it must stop."""

    exit_code = 4


class LostEvents(OutOfSequence):
    """The store lacks events that it had confirmed: what this writer knows is newer, and it must stop."""

    exit_code = 3


class DiskFull(StoreError):
    """There is no room for what has to be written."""

    exit_code = 6


class Corrupt(StoreError):
    """The journal or an export does not match its own hash chain."""


class ProfileBusy(StoreError):
    """Another engine holds the profile."""

    exit_code = 4


class InvariantBroken(RiskcoreError):
    """riskcore itself is wrong: state that must never be was reached.

    `left_out`: the keys of what the core failed on and goes on without. `starts_again`: nobody asked it to stop.
    """

    def __init__(self, text: str, *, left_out: tuple[str, ...] = (), starts_again: bool = True) -> None:
        super().__init__(text)
        self.left_out = left_out
        self.starts_again = starts_again


class GatewayError(RiskcoreError):
    """The broker cannot be used."""

    exit_code = 5


class BrokerUnreachable(GatewayError):
    """No answer from the broker's hosts."""


class LoginRefused(GatewayError):
    """The broker refused the user name or the API key, or there is none."""
