"""How far a sweep is, and how long it will still take."""

from time import monotonic

from replay.sessions import Warn

SECONDS_BETWEEN = 2


class Clock:
    """Counts runs of a day under a setting. `say` hears a sentence every few seconds."""

    def __init__(self, say: Warn, settings: int, files: int) -> None:
        self._say, self._settings, self._files = say, settings, files
        self._pieces = self._skipped = self._done = 0
        self._started = self._said = monotonic()

    def piece(self, missing: int) -> None:
        """One more piece of the record, with so many settings that are not known from before."""
        self._pieces += 1
        self._skipped += self._settings - missing

    def done(self, count: int) -> None:
        """So many more runs are finished."""
        self._done += count
        now = monotonic()
        if now - self._said < SECONDS_BETWEEN:
            return
        self._said = now
        # How many days there are is only known at the end of the last file.
        everything = max(self._pieces, self._files) * self._settings
        left = everything - self._skipped - self._done
        seconds = (now - self._started) / self._done * left
        share = 100 * (everything - left) // everything
        self._say(f"{share} % of {everything:,} runs of a day, about {duration(seconds)} left")


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    whole = round(seconds)
    if whole < 90:
        return f"{whole} s"
    if whole < 5_400:
        return f"{round(whole / 60)} min"
    return f"{round(whole / 3_600):,} h"
