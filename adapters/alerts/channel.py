"""One channel: its own queue and thread, so that neither the engine nor another channel ever waits for it."""

from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Event, Thread

from adapters.alerts.channels import ATTEMPT_SECONDS, NotSent, Send
from adapters.alerts.message import Alert
from riskcore.core.kinds import AlertLevel
from riskcore.schema.rows import Row
from riskcore.settings.alerts import ChannelSettings

# Seconds before each further attempt: 1, 5, 30, then each minute for ten.
RETRY_SECONDS: tuple[float, ...] = (1, 5, 30, *(60,) * 10)
# The channel, the alert, and why it did not leave; None: it was sent.
Done = Callable[[str, Alert, str | None], None]


class Channel:
    """Sends in order. While a channel is dead, each alert is tried once; the first that gets through revives it."""

    def __init__(
        self,
        settings: ChannelSettings,
        send: Send,
        figures: bool,
        done: Done,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
        attempt_seconds: float = ATTEMPT_SECONDS,
    ) -> None:
        self.settings = settings
        self.dead = False
        self._handed_over = self._sent = self._lost = 0
        self._send = send
        self._figures = figures
        self._done = done
        self._retry_seconds = retry_seconds
        self._attempt_seconds = attempt_seconds
        self._queue: SimpleQueue[Alert | None] = SimpleQueue()
        self._stopping = Event()
        self._thread = Thread(target=self._work, name=f"alerts {settings.name}", daemon=True)
        self._thread.start()

    def put(self, alert: Alert) -> None:
        """Hand over one alert; never waits."""
        self._handed_over += 1
        self._queue.put(alert)

    def row(self) -> Row:
        """How it is doing; `waiting` counts the alert that is being tried, too."""
        waiting = max(self._handed_over - self._sent - self._lost, 0)
        told = {"channel": self.settings.name, "dead": self.dead, "waiting": waiting}
        return {**told, "sent": self._sent, "lost": self._lost}

    def close(self, seconds: float) -> None:
        """Try what waits once more, for at most so long."""
        self._stopping.set()
        self._queue.put(None)
        self._thread.join(seconds)

    def _work(self) -> None:
        while (alert := self._queue.get()) is not None:
            why = self._deliver(alert)
            self.dead = why is not None
            self._sent, self._lost = self._sent + (not self.dead), self._lost + self.dead
            # Stopped in between: in doubt, so the next run sends it again.
            if why is None or not self._stopping.is_set():
                self._done(self.settings.name, alert, why)

    def _deliver(self, alert: Alert) -> str | None:
        why = self._attempt(alert)
        for seconds in () if self.dead else self._retry_seconds:
            if why is None or self._stopping.wait(seconds):
                break
            why = self._attempt(alert)
        return why

    def _attempt(self, alert: Alert) -> str | None:
        return attempt(self._send, alert.title, alert.said(self._figures), alert.level, self._attempt_seconds)


def attempt(send: Send, title: str, body: str, level: AlertLevel, seconds: float = ATTEMPT_SECONDS) -> str | None:
    """One attempt, given up after `seconds`; why it did not leave, None when it did."""
    outcome: list[str | None] = []

    def run() -> None:
        try:
            send(title, body, level)
            outcome.append(None)
        except NotSent as error:
            outcome.append(str(error))
        except Exception as error:  # Whatever a library raises stops no other alert; its words may hold the address.
            outcome.append(f"it failed ({type(error).__name__})")

    thread = Thread(target=run, name="alert attempt", daemon=True)
    thread.start()
    thread.join(seconds)
    return outcome[0] if outcome else f"no answer within {seconds:g} seconds"
