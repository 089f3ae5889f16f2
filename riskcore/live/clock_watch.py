"""Tells when the machine's clock was set while an engine runs; a sleep, after which it looks anew, it tells itself."""

from riskcore.core.quantities import SECOND_NS
from riskcore.engine.clock import NOTABLE_NS, SystemClock
from riskcore.engine.engine import LONGEST_PAUSE_NS
from riskcore.engine.ports import Announcer

LOOK_SECONDS = 2
_ADVICE = "switch on the system's time synchronisation"


async def watch_clock(clock: SystemClock, announcer: Announcer) -> None:
    """Until cancelled. A clock that was set back is told once, until it has caught up."""
    told = False
    clock.skipped_ns()
    while True:
        await clock.sleep(LOOK_SECONDS)
        skipped_ns, behind_ns = clock.skipped_ns(), clock.behind_ns()
        if NOTABLE_NS <= skipped_ns < LONGEST_PAUSE_NS:
            seconds = skipped_ns // SECOND_NS
            text = f"the system's clock jumped ahead by {seconds} s at once, and so did riskcore's; {_ADVICE}"
            announcer.say("clock", seconds=seconds, text=text)
        if behind_ns >= NOTABLE_NS and not told:
            seconds = behind_ns // SECOND_NS
            text = (
                f"the system's clock is {seconds} s behind: it was set back. riskcore's time goes on as before, so"
                f" deadlines come up to {seconds} s early by that clock; {_ADVICE}"
            )
            announcer.say("clock", seconds=-seconds, text=text)
        told = behind_ns >= NOTABLE_NS
