"""What a heartbeat says of the engine behind it: well, dead, hung or blind. Pure; the watchdog looks and alerts.

Time is counted in looks and in what the engine itself measured, never by comparing clocks: a machine that slept, or
whose clock was set, makes no engine look dead.
"""

from dataclasses import dataclass
from typing import Literal

from riskcore.core.kinds import AlertLevel
from riskcore.engine.heartbeat_file import STOPPED, Beat

State = Literal["none", "well", "stopped", "open", "dead", "hung", "blind"]
# A service manager starts an engine again within this many looks; a lock that is free once is no alarm yet.
DEAD_LOOKS = 2
FINE: tuple[State, ...] = ("none", "well", "stopped")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`text` with figures, `plain` without; `id` names the occasion, so that it is told once. `beat`: the last one."""

    state: State
    level: AlertLevel
    text: str
    plain: str
    id: str
    beat: Beat | None = None

    @property
    def fine(self) -> bool:
        return self.state in FINE


class Watch:
    """Judges looks in their order; `silent_looks` without a new beat are a hung engine, `after_seconds` a blind one."""

    def __init__(self, profile: str, silent_looks: int, after_seconds: float) -> None:
        self._profile = profile
        self._silent_looks = silent_looks
        self._after_seconds = after_seconds
        self._last: Beat | None = None
        self._looks = self._unchanged = self._gone = 0
        self._runs = False

    @property
    def undecided(self) -> bool:
        """Whether further looks at the same beat may become an alarm."""
        return 0 < self._gone < DEAD_LOOKS or (self._runs and self._unchanged == self._looks - 1)

    def look(self, beat: Beat | None, running: bool) -> Verdict:
        """The verdict of one look. `running`: whether somebody holds the lock of the journal."""
        beat = beat or self._last  # It was being written just now.
        # An engine leaves its first beat before it does anything else: the lock alone is somebody else's.
        engine = beat is not None and beat.state != STOPPED
        same = self._looks > 0 and beat == self._last
        self._looks, self._last, self._runs = self._looks + 1, beat, engine and running
        self._unchanged = self._unchanged + 1 if self._runs and same else 0
        self._gone = self._gone + 1 if engine and not running else 0
        if beat is None:
            return self._fine("none", f"no engine has run for profile {self._profile} yet", beat)
        if not engine and beat.open_positions and not running:
            return self._alarm("open", beat, "was stopped in good order, but not everything was closed")
        if not engine or (self._gone and self._gone < DEAD_LOOKS):
            return self._fine("stopped", f"the engine of profile {self._profile} is not running", beat)
        if self._gone:
            how = "ended with an error" if beat.state == "failed" else "is gone without an orderly stop"
            return self._alarm("dead", beat, how)
        if self._unchanged >= self._silent_looks:
            return self._alarm("hung", beat, "hangs: it holds its journal, but gives no sign of life")
        if beat.open_positions and beat.unguarded_seconds >= self._after_seconds:
            return self._alarm("blind", beat, f"runs, but limits cannot act: {beat.unguarded_because}")
        return self._fine("well", f"the engine of profile {self._profile} runs", beat)

    def _fine(self, state: State, text: str, beat: Beat | None) -> Verdict:
        return Verdict(state, "info", text, text, state, beat)

    def _alarm(self, state: State, beat: Beat, what: str) -> Verdict:
        held = beat.open_positions
        said = f"The engine of profile {self._profile} {what}"
        if state != "blind":
            said += f" (last sign of life {beat.at[:19]}Z)"
        acts = " No limit acts." if held else " Nothing was open then, but nothing guards the next trade either."
        # An engine that its trader stopped needs nothing but a look at what is still open.
        level: AlertLevel = "critical" if held and state != "open" else "warning"
        advice = _advice(state, bool(held))
        number = f" {held} position{'' if held == 1 else 's'} open." if held else ""
        plain = f"{said}.{' A position is open.' if held else ''}{acts} {advice}"
        name = f"{state} {beat.pid} {beat.unguarded_since if state == 'blind' else beat.at}"
        return Verdict(state, level, f"{said}.{number}{acts} {advice}", plain, name, beat)


def _advice(state: State, held: bool) -> str:
    if state == "hung":
        end = "End its process and start riskcore live again."
    elif state == "blind":
        end = "riskcore health says what is missing."
    else:
        end = "Start riskcore live again; it goes on from its journal."
    return f"Look at your positions on the platform now. {end}" if held else end
