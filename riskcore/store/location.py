"""Where the journal of this user lives, and which profile of it a command means. Source: INTERFACE.md 1.

A store that is not there, or a profile or day that is not in it, is a mistake in the command line or the settings
(exit 2); only a store that cannot be read or does not match its own chain is exit 3.
"""

from collections.abc import Sequence
from pathlib import Path

from riskcore.errors import ConfigError
from riskcore.folders import user_folder
from riskcore.store.archived import ArchivedDay
from riskcore.store.server_url import without_password

FILE_NAME = "journal.db"
MOST_NAMED = 12


def user_data_folder() -> Path:
    """Where this user's data lives on this system."""
    return user_folder("data")


def existing_store(store: str | None) -> str:
    """The store to read: the one named, else the default. Raises ConfigError when there is none."""
    where = without_password(store) if store else str(user_data_folder() / FILE_NAME)
    path = where.removeprefix("sqlite://")
    if "://" not in path and not Path(path).is_file():
        given = "" if store else " (the default)"
        raise ConfigError(
            f"{where}{given}: there is no journal here; name one with --store"
            " (riskcore live makes one, riskcore replay --store FILE makes one of recordings)"
        )
    return where


def stored_profiles(where: str) -> list[str]:
    """The profiles that have days in a store, sorted. Raises StoreError, Corrupt."""
    from riskcore.store.recorder import open_recorder

    recorder = open_recorder(where, write=False)
    try:
        return sorted({stream.rpartition("/")[0] for stream in recorder.stream_ids()})
    finally:
        recorder.close()


def choose_profile(where: str, asked: str | None, configured: str | None) -> str:
    """The profile to read: the one asked for, the only one stored, or the one the settings name.

    Raises ConfigError when the store does not hold it or cannot tell which is meant.
    """
    profiles = stored_profiles(where)
    if not profiles:
        raise ConfigError(f"{where}: the journal is empty; nothing was recorded yet")
    named = shortened(profiles)
    if asked is not None:
        if asked not in profiles:
            raise ConfigError(f"{where}: no profile {asked} here; it holds {named}")
        return asked
    if len(profiles) == 1:
        return profiles[0]
    if configured in profiles:
        return configured
    raise ConfigError(f"{where}: holds several profiles, say which with --profile: {named}")


def choose_days(
    stored: Sequence[str], asked: Sequence[str], what: str, archived: Sequence[ArchivedDay] = ()
) -> list[str]:
    """The days asked for, oldest first; all when none is named. Raises ConfigError for one that is not there.

    `archived`: the days that left the store, so that the message can say where one of them is.
    """
    missing = [day for day in asked if day not in stored]
    for day in archived:
        if day.trade_date in missing:
            raise ConfigError(
                f"{what}: day {day.trade_date} has left this store for the archive; give {day.file} as SESSION instead"
            )
    if missing:
        raise ConfigError(f"{what}: no day {', '.join(missing)}; it holds {shortened(stored)}")
    return [day for day in stored if day in asked] if asked else list(stored)


def shortened(names: Sequence[str]) -> str:
    """Names for a message; of many only the last ones."""
    shown = ", ".join(names[-MOST_NAMED:])
    return shown if len(names) <= MOST_NAMED else f"{len(names)} in all, the last: {shown}"
