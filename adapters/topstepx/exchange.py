"""One question to the broker and what came of it. Source: INTERFACE.md 4, DESIGN.md "Requests to the broker"."""

from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from statistics import median_low
from typing import Any, Literal

from adapters.topstepx import fields
from adapters.topstepx.breaker import Breaker
from adapters.topstepx.error_codes import OK, TOO_MANY, judge
from adapters.topstepx.quota import Quota
from adapters.topstepx.rest import is_login
from adapters.topstepx.transport import Answer, NotSent, Transport, Unanswered
from adapters.topstepx.wire import envelope
from adapters.topstepx.wire_text import answer_text
from riskcore.engine.ports import Clock, Line, Outcome
from riskcore.engine.stage_times import StageTimes
from riskcore.schema.instants import utc_text

Failure = Literal["not sent", "unanswered"]
_LONGEST_EXCERPT = 500
_SERVER_ERROR = 500
_NO_STATUS = 0  # In a line: there was no answer.
_HEADERS = {"accept": "application/json", "content-type": "application/json", "user-agent": "riskcore"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call and its answer. What was sent and said is not shown by repr: a login's holds secrets."""

    path: str
    asked_at: int
    request: Any = field(default=None, repr=False)  # Decoded, None for a login.
    status: int | None = None
    response: Any = field(default=None, repr=False)  # Decoded, None when it was no JSON.
    answer: bytes = field(default=b"", repr=False)  # The answer as it came, when it was JSON and no login's.
    excerpt: str = field(default="", repr=False)  # The beginning of an answer that was no JSON.
    retry_after: str | None = None
    failure: Failure | None = None
    reason: str = ""  # Why it failed.

    @property
    def good(self) -> bool:
        """Whether the broker answered with success."""
        found = envelope(self.response) if self.status == OK else None
        return found is not None and found.good

    @property
    def transient(self) -> bool:
        """Whether the same question may well be answered a little later."""
        status = self.status
        if status is None or status == TOO_MANY or status >= _SERVER_ERROR:
            return True
        return status == OK and self.response is None

    def rows(self, key: str) -> list[Any] | None:
        """The list of a good answer, None when it has none: unknown is never empty."""
        found = self.response.get(key) if self.good else None
        return found if isinstance(found, list) else None

    def outcome(self) -> Outcome:
        """What it means for what was asked."""
        if self.failure == "not sent":
            return Outcome("refused", f"nothing was sent: {self.reason}")
        if self.status is None:
            return Outcome("unresolved", f"no answer, so whether it happened is unknown: {self.reason}")
        return judge(self.path, self.status, self.response)

    def line(self) -> Line:
        """The exchange as a line of a wire recording; of a login only whether it worked."""
        line: dict[str, Any] = {"rest": self.path}
        if is_login(self.path):
            response = _login_result(self.response)
        else:
            line["request"] = self.request
            response = self.excerpt or None if self.response is None else self.response
        line["asked_at"] = utc_text(self.asked_at)
        line["status"] = _NO_STATUS if self.status is None else self.status
        line["response"] = response
        return line

    def text(self) -> bytes:
        """The same line, the answer in it word for word."""
        return answer_text(self.line(), self.answer)


def _login_result(response: Any) -> Any:
    found = envelope(response)
    return None if found is None else {"success": found.success, "errorCode": found.error_code}


class Caller:
    """Sends one question over the transport, times it, counts it, and reads the answer."""

    def __init__(self, transport: Transport, quota: Quota, breaker: Breaker, clock: Clock) -> None:
        self._transport = transport
        self._quota = quota
        self._breaker = breaker
        self._clock = clock
        self.times = AnswerTimes()
        self._token = ""
        self._headers = dict(_HEADERS)

    def exchange(
        self, path: str, body: bytes, token: str | None, seconds: float, *, method: str = "POST"
    ) -> Coroutine[Any, Any, Exchange]:
        """One call within a time limit; never raises for what a network or a broker can do.

        It may leave before it is awaited: everything that can wait is done behind it.
        """
        asked_at = self._clock.now()
        answering = self._transport.call(method, path, body, self._with(token))
        self._quota.spend(asked_at, path)
        return self._exchanged(path, asked_at, body, answering, seconds)

    async def _exchanged(
        self, path: str, asked_at: int, body: bytes, answering: Coroutine[Any, Any, Answer], seconds: float
    ) -> Exchange:
        try:
            async with self._clock.timeout(seconds):
                answer = await answering
        except NotSent as error:
            self._quota.give_back(asked_at, path)
            return self._failed(path, asked_at, body, "not sent", str(error))
        except Unanswered as error:
            return self._failed(path, asked_at, body, "unanswered", str(error))
        except TimeoutError:
            return self._failed(path, asked_at, body, "unanswered", f"no answer to {path} within {seconds:g} s")
        if answer.status >= _SERVER_ERROR:
            self._breaker.failed(self._clock.now())
            self.times.failed()
        else:
            self._breaker.succeeded()
            self.times.answered(self._clock.now() - asked_at)
        retry_after = answer.headers.get("retry-after")
        if answer.status == TOO_MANY:
            self._quota.refused(self._clock.now(), path, retry_after)
        response, excerpt = _read(answer.body, path)
        kept = b"" if response is None or is_login(path) else answer.body
        return Exchange(path, asked_at, _asked(path, body), answer.status, response, kept, excerpt, retry_after)

    def _with(self, token: str | None) -> dict[str, str]:
        """The headers with a token, built once for each."""
        if token is None:
            return _HEADERS
        if token != self._token:
            self._token = token
            self._headers = {**_HEADERS, "authorization": f"Bearer {token}"}
        return self._headers

    def _failed(self, path: str, asked_at: int, body: bytes, failure: Failure, reason: str) -> Exchange:
        self._breaker.failed(self._clock.now())
        self.times.failed()
        return Exchange(path, asked_at, _asked(path, body), failure=failure, reason=reason)


def _asked(path: str, body: bytes) -> Any:
    return fields.decode(body).value if body and not is_login(path) else None


def _read(body: bytes, path: str) -> tuple[Any, str]:
    """The decoded answer; of what is no JSON its beginning, unless it may hold a secret."""
    try:
        return fields.decode(body).value, ""
    except ValueError:
        text = body[: 4 * _LONGEST_EXCERPT].decode("utf-8", "replace")
        return None, "" if is_login(path) else fields.raw_text(text)[:_LONGEST_EXCERPT]


REMEMBERED = 20


class AnswerTimes:
    """Of the latest calls, and of all since the engine began."""

    def __init__(self) -> None:
        self._latest_ns: deque[int] = deque(maxlen=REMEMBERED)
        self.all = StageTimes()
        self.failures = 0  # In a row: no connection, no answer, or a 5xx.

    def answered(self, after_ns: int) -> None:
        self._latest_ns.append(after_ns)
        self.all.add(after_ns)
        self.failures = 0

    def failed(self) -> None:
        self.failures += 1

    @property
    def median_ns(self) -> int | None:
        """None before the first answer."""
        return median_low(self._latest_ns) if self._latest_ns else None
