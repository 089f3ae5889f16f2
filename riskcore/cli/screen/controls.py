"""What the keys do: choose a view, scroll, ask before something is sent. Nothing here draws, reads keys or sends."""

from dataclasses import dataclass
from typing import Any

from riskcore.cli.screen.picture import OVERVIEW, VIEWS, title_of

Row = dict[str, Any]
UP, DOWN, PAGE_UP, PAGE_DOWN, ESCAPE = "up", "down", "page up", "page down", "escape"
_SCROLL = {UP: -1, DOWN: 1, "k": -1, "j": 1, PAGE_UP: -10, PAGE_DOWN: 10, " ": 10, "b": -10}
# What `riskcore lock` takes, by the key that chooses it.
LOCK_UNTIL = {
    "1": ("15m", "for 15 minutes"),
    "2": ("30m", "for 30 minutes"),
    "3": ("60m", "for 60 minutes"),
    "4": ("day", "until the reset"),
    "5": ("new-york", "until the New York session ends"),
    "6": ("london", "until the London session ends"),
    "7": ("tokyo", "until the Tokyo session ends"),
    "8": ("sydney", "until the Sydney session ends"),
}
FLATTEN = "f"
HELP = (
    *((str(number), title_of(view)) for number, view in enumerate(VIEWS, 1)),
    (FLATTEN, "flatten: close every position, cancel entry orders; asks first"),
    ("l", "lock yourself out until a time you choose; asks first"),
    ("arrows", "scroll; also space, b, j, k and the page keys"),
    ("?", "this help"),
)


@dataclass(frozen=True, slots=True)
class Question:
    """Something to be answered before anything is sent: `answers` are keys with their words."""

    text: str
    answers: tuple[tuple[str, str], ...]
    request: Row | None = None  # What a yes sends; None while there is more to choose.


@dataclass(slots=True)
class Controls:
    """The state that keys change. `quits`: q ends the screen; where an engine depends on it only Ctrl-C does.

    `accounts`: those the screen is limited to, in words for a question; empty for all. `running`: whether there is an
    engine; without one nothing can be flattened, and a lock waits for the next one.
    """

    quits: bool = False
    accounts: tuple[str, ...] = ()
    running: bool = True
    view: str = OVERVIEW
    offset: int = 0  # Lines scrolled away at the top.
    helps: bool = False
    question: Question | None = None
    notice: str = ""
    ended: bool = False

    def press(self, key: str) -> Row | None:
        """Take one key; the request to send, if it confirmed one."""
        self.notice = ""
        if self.question is not None:
            return self._answer(self.question, key)
        if key == "q" and self.quits:
            self.ended = True
        elif key.isdecimal() and 1 <= int(key) <= len(VIEWS):
            self.view, self.offset, self.helps = VIEWS[int(key) - 1], 0, False
        elif key in ("?", "h"):
            self.helps, self.offset = not self.helps, 0
        elif key == ESCAPE:
            self.helps = False
        elif key in _SCROLL:
            self.offset = max(self.offset + _SCROLL[key], 0)
        elif key == FLATTEN and not self.running:
            self.notice = "no engine is running, so nothing can be flattened: close it on the platform"
        elif key == FLATTEN:
            text = f"Flatten {self._who}? Every position is closed at the market and entry orders are cancelled."
            self.question = _confirm(f"{text} You are not locked out.", {"ask": "flatten"})
        elif key == "l":
            choices = tuple((number, words) for number, (_, words) in LOCK_UNTIL.items())
            self.question = Question(f"Lock {self._who}?", (*choices, ("esc", "no")))
        return None

    @property
    def _who(self) -> str:
        return " and ".join(self.accounts) or "every account"

    def _answer(self, question: Question, key: str) -> Row | None:
        self.question = None
        if question.request is not None and key in ("y", "Y"):
            self.notice = "sent, waiting for the answer"
            return question.request
        if question.request is None and key in LOCK_UNTIL:
            until, words = LOCK_UNTIL[key]
            done = "Positions are closed and orders cancelled." if self.running else "It acts once an engine runs."
            text = f"Lock {self._who} {words}? {done} You cannot undo this."
            self.question = _confirm(text, {"ask": "lock", "until": until, "flatten": True})
            return None
        self.notice = "nothing was done"
        return None


def _confirm(text: str, request: Row) -> Question:
    return Question(text, (("y", "yes"), ("any other key", "no")), request)
