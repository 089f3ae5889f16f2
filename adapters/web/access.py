"""Who may ask what: every check of a request before its body is read, in the order of INTERFACE.md 9 "Refusals".

Any page in the trader's browser may try to talk to a port on loopback. What keeps it out is here: the exact name in
Host (against rebinding), Origin and Sec-Fetch-Site (against other sites), a token that no page can know.
"""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LARGEST_BODY = 16_384
LINK_SECONDS = 60
MOST_LINKS, MOST_SESSIONS = 100, 1000
STREAM, OPEN, PAGE = "/api/stream", "/open", "/"
_PLAIN_TARGET = frozenset(range(0x21, 0x7F))
_USAGE, _INTERNAL, _BUSY, _CANNOT_STORE = 2, 1, 4, 6
# Whatever is answered carries these; the policy lets a page of ours use only what this server serves.
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
}
# Status and exit code of each code.
CODES = {
    "malformed": (400, _USAGE),
    "host": (403, _USAGE),
    "origin": (403, _USAGE),
    "token": (401, _USAGE),
    "route": (404, _USAGE),
    "method": (405, _USAGE),
    "browser": (403, _USAGE),
    "header": (403, _USAGE),
    "type": (415, _USAGE),
    "size": (413, _USAGE),
    "value": (400, _USAGE),
    "unknown": (404, _USAGE),
    "link": (410, _USAGE),
    "cursor": (409, _USAGE),
    "read_only": (409, _BUSY),
    "halted": (503, _CANNOT_STORE),
    "busy": (503, _INTERNAL),
    "fault": (500, _INTERNAL),
}


NO_HEADERS: Mapping[str, str] = {}
_CLOSE = {"Connection": "close"}


class Refusal(Exception):
    """A request is refused; `code` is one of CODES, `exit_code` that of the command that would have asked."""

    def __init__(
        self, code: str, text: str, exit_code: int | None = None, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        super().__init__(text)
        self.code = code
        self.status, self.exit_code = CODES[code][0], CODES[code][1] if exit_code is None else exit_code
        self.headers = headers

    def row(self) -> dict[str, Any]:
        return {"schema": "riskcore.error/1", "code": self.code, "error": str(self), "exit": self.exit_code}


@dataclass(frozen=True, slots=True)
class Route:
    """One path and its only method. `bearer_only`: commands' own, no browser may ask."""

    method: str
    bearer_only: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """A request before its body: header names in lower case, in order of receipt."""

    method: str
    target: str
    version: tuple[int, int]
    headers: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


@dataclass(slots=True)
class Sessions:
    """The token of this start, the browsers that were let in, and the links that let one in. Nothing outlives it."""

    port: int
    hosts: frozenset[str]
    cookies_allowed: bool
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    _cookies: dict[str, None] = field(default_factory=dict)
    _links: dict[str, float] = field(default_factory=dict)  # When each ends, in seconds of the loop.

    @property
    def cookie_name(self) -> str:
        return f"riskcore_{self.port}"

    def new_link(self, now: float) -> str:
        """The word of a new one-time link."""
        self._links = {word: ends for word, ends in self._links.items() if now < ends}
        while len(self._links) >= MOST_LINKS:
            del self._links[next(iter(self._links))]
        word = secrets.token_urlsafe(32)
        self._links[word] = now + LINK_SECONDS
        return word

    def use_link(self, word: str, now: float) -> str | None:
        """The cookie that a link opens; None for one that was used, is over or was never given."""
        if self._links.pop(word, now) <= now:
            return None
        while len(self._cookies) >= MOST_SESSIONS:
            del self._cookies[next(iter(self._cookies))]
        cookie = secrets.token_urlsafe(32)
        self._cookies[cookie] = None
        return cookie

    def knows(self, head: Head) -> bool:
        """Whether the request has the token, or the cookie of a session."""
        for value in head.all("authorization"):
            scheme, _, word = value.partition(" ")
            if scheme.lower() == "bearer" and _same(word.strip(), self.token):
                return True
        return self.cookies_allowed and any(
            _same(given, known) for given in self.cookies(head) for known in self._cookies
        )

    def cookies(self, head: Head) -> list[str]:
        """The values of our cookie that a request brings, valid or not."""
        found = []
        for header in head.all("cookie"):
            for pair in header.split(";"):
                name, _, value = pair.strip().partition("=")
                if name == self.cookie_name:
                    found.append(value)
        return found


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), known.encode())


def check(head: Head, sessions: Sessions, routes: Mapping[str, Route], prefixes: Mapping[str, Route]) -> None:
    """Everything that is decided before the body is read. Raises Refusal, the first that applies."""
    _check_form(head)
    host = head.all("host")[0]
    if host not in sessions.hosts:
        raise Refusal("host", "Host must be exactly the address this service listens on")
    with_cookie = bool(sessions.cookies(head))
    _check_origin(head, host, with_cookie)
    if not sessions.knows(head) and not (head.method == "GET" and head.path == OPEN and sessions.cookies_allowed):
        text = "no valid token: it stands in the control file, and riskcore web lets a browser in"
        raise Refusal("token", text, headers={"WWW-Authenticate": "Bearer"})
    route = route_of(head.path, routes, prefixes)
    if route is None:
        raise Refusal("route", f"there is no {head.path[:80]} here")
    if head.method != route.method:
        raise Refusal("method", f"{head.path[:80]} takes {route.method}", headers={"Allow": route.method})
    if route.bearer_only and (with_cookie or head.all("origin")):
        raise Refusal("browser", f"{head.path} is for commands with the token, not for a browser")
    if head.method == "POST":
        _check_post(head)


def route_of(path: str, routes: Mapping[str, Route], prefixes: Mapping[str, Route]) -> Route | None:
    """The route of a path, taken letter by letter; below a prefix stands one more part, percent-encoded."""
    if path in routes:
        return routes[path]
    for prefix, route in prefixes.items():
        rest = path.removeprefix(prefix)
        if rest != path and rest and "/" not in rest:
            return route
    return None


def _check_form(head: Head) -> None:
    lengths, encodings = head.all("content-length"), head.all("transfer-encoding")
    plain = (
        head.version == (1, 1)
        and head.target.startswith("/")
        and "#" not in head.target
        and all(ord(one) in _PLAIN_TARGET for one in head.target)
        and len(head.all("host")) == 1
        and len(lengths) <= 1
        and all(one.isascii() and one.isdigit() for one in lengths)
        and not (lengths and encodings)
        and [one.lower() for one in encodings] in ([], ["chunked"])
    )
    if not plain:
        raise Refusal("malformed", "not a plain HTTP/1.1 request with one Host and a path", headers=_CLOSE)


def _check_origin(head: Head, host: str, with_cookie: bool) -> None:
    origins, sites = head.all("origin"), head.all("sec-fetch-site")
    if any(one != f"http://{host}" for one in origins) or len(origins) > 1:
        raise Refusal("origin", "Origin is another site's")
    if any(one not in ("same-origin", "none") for one in sites):
        raise Refusal("origin", "Sec-Fetch-Site says that another site asks")
    if with_cookie and not origins and (head.method == "POST" or head.path == STREAM):
        raise Refusal("origin", "a browser that changes or follows anything says its Origin")


def _check_post(head: Head) -> None:
    if head.all("x-riskcore") != ["1"]:
        raise Refusal("header", "a POST carries X-Riskcore: 1")
    types = head.all("content-type")
    if len(types) != 1 or types[0].partition(";")[0].strip().lower() != "application/json":
        raise Refusal("type", "a POST carries Content-Type: application/json")
    if any(int(one) > LARGEST_BODY for one in head.all("content-length")):
        raise too_large()


def too_large() -> Refusal:
    return Refusal("size", f"the body is longer than {LARGEST_BODY} bytes", headers=_CLOSE)


def hosts_of(port: int, names: Sequence[str] = ()) -> frozenset[str]:
    """What Host may say: the two names of loopback, and those that were allowed for another address."""
    return frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", *names))
