"""Every row of INTERFACE.md 9 "Refusals" by raw socket, in its order, and attacks by the thousand: nothing is done."""

import asyncio
import json
from itertools import product
from random import Random
from typing import Any

import pytest

from adapters.web.access import HEADERS
from tests.adapters.web.conftest import Asked
from tests.adapters.web.serving import Said, cookie_of, request, say, serving, store_at
from tests.engine.answering_desk import AnsweringDesk, SmallMarket

UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: " + "A" * 22 + "==",
)
LOCK = json.dumps({"until": "30m"})


def answer(service: Asked, method: str, target: str, *lines: str, **options: Any) -> Said:
    return say(service.port, request(service.control, method, target, *lines, **options))


def code_of(said: Said) -> tuple[int, str | None]:
    if not said.body:
        return said.status, None
    row = said.row
    assert row["schema"] == "riskcore.error/1"
    assert isinstance(row["error"], str)
    assert isinstance(row["exit"], int)
    return said.status, row["code"]


@pytest.fixture(scope="module")
def cookie(service: Asked) -> str:
    return asyncio.run(cookie_of(service.control))


def _own(service: Asked) -> str:
    return f"Origin: {service.control.url}"


# ---- the table, row by row ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/status HTTP/1.1\r\n{token}\r\n\r\n",
        "GET /api/status HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n{token}\r\n\r\n",
        "GET /api/status HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n{token}\r\n\r\n",
        "GET http://{host}/api/status HTTP/1.1\r\nHost: {host}\r\n{token}\r\n\r\n",
        "GET api/status HTTP/1.1\r\nHost: {host}\r\n{token}\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: {host}\r\n{token}\r\n\r\n",
        "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n{token}\r\n\r\n",
        "GET /api/status HTTP/1.0\r\nHost: {host}\r\n{token}\r\n\r\n",
        "GET /api/status HTTP/2.0\r\nHost: {host}\r\n{token}\r\n\r\n",
        "GET /api/status\r\n\r\n",
        "GET /api/status#x HTTP/1.1\r\nHost: {host}\r\n{token}\r\n\r\n",
        "GET /api/\u00e9 HTTP/1.1\r\nHost: {host}\r\n{token}\r\n\r\n",
        "POST /api/lock HTTP/1.1\r\nHost: {host}\r\n{token}\r\nX-Riskcore: 1\r\nContent-Type: application/json\r\n"
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /api/lock HTTP/1.1\r\nHost: {host}\r\n{token}\r\nX-Riskcore: 1\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}",
        "POST /api/lock HTTP/1.1\r\nHost: {host}\r\n{token}\r\nX-Riskcore: 1\r\nContent-Type: application/json\r\n"
        "Content-Length: +2\r\n\r\n{{}}",
        "POST /api/lock HTTP/1.1\r\nHost: {host}\r\n{token}\r\nX-Riskcore: 1\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is TLS\r\n\r\n",
        "GET /api/status HTTP/1.1\r\nHost : {host}\r\n{token}\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_not_plain_http_is_malformed(service: Asked, text: str) -> None:
    token = f"Authorization: Bearer {service.control.token}"
    said = say(service.port, text.format(host=f"127.0.0.1:{service.port}", token=token).encode(), half_close=True)
    assert said.status == 0 or code_of(said) == (400, "malformed")
    _headers_are_there(said)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1",
        "localhost",
        "LOCALHOST:{port}",
        "127.0.0.1:1",
        "[::1]:{port}",
        "127.1:{port}",
        "evil.example:{port}",
        "localhost.:{port}",
        "127.0.0.1:{port}.",
        "127.0.0.1:{port}@evil.example",
    ],
)
def test_only_the_two_names_of_loopback_are_hosts(service: Asked, host: str) -> None:
    said = answer(service, "GET", "/api/status", host=host.format(port=service.port))
    assert code_of(said) == (403, "host")
    for good in (f"127.0.0.1:{service.port}", f"localhost:{service.port}"):
        assert answer(service, "GET", "/api/status", host=good).status == 200


@pytest.mark.parametrize(
    "line", ["Origin: null", "Origin: http://evil.example", "Origin: https://127.0.0.1:{port}", "Origin: http://127.0.0.1",
             "Origin: http://localhost:{port}", "Origin: ", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site",
             "Sec-Fetch-Site: ", "Sec-Fetch-Site: Same-Origin"]
)  # fmt: skip
@pytest.mark.parametrize(("method", "target"), [("GET", "/api/status"), ("POST", "/api/lock"), ("GET", "/api/stream")])
def test_another_sites_origin_is_refused(service: Asked, line: str, method: str, target: str) -> None:
    upgrade = UPGRADE if target == "/api/stream" else ()
    said = answer(service, method, target, line.format(port=service.port), *upgrade, body=LOCK)
    assert code_of(said) == (403, "origin")


def test_a_browser_that_changes_or_follows_says_its_origin(service: Asked, cookie: str) -> None:
    for method, target in (("POST", "/api/lock"), ("GET", "/api/stream")):
        upgrade = UPGRADE if method == "GET" else ()
        assert code_of(answer(service, method, target, cookie, *upgrade, token=False, body=LOCK)) == (403, "origin")
    assert answer(service, "GET", "/api/status", cookie, token=False).status == 200
    assert answer(service, "GET", "/api/stream", cookie, _own(service), *UPGRADE, token=False).status == 101


@pytest.mark.parametrize(
    "path", ["/api/status", "/api/nothing", "/metrics", "/api/stream", "/page.css", "//", "/open/"]
)
@pytest.mark.parametrize(
    "line",
    [
        None,
        "Authorization: Bearer guess",
        "Authorization: Basic {token}",
        "Authorization: {token}",
        "Cookie: riskcore_{port}={token}",
        "Cookie: riskcore_{port}=",
    ],
)
def test_without_token_or_cookie_nothing_is_told(service: Asked, path: str, line: str | None) -> None:
    lines = [] if line is None else [line.format(token=service.control.token, port=service.port), _own(service)]
    assert code_of(answer(service, "GET", path, *lines, token=False)) == (401, "token")


def test_no_route_takes_a_token_from_a_url(service: Asked) -> None:
    target = f"/api/status?token={service.control.token}"
    assert code_of(answer(service, "GET", target, token=False)) == (401, "token")
    assert code_of(answer(service, "GET", target)) == (400, "value")


def test_the_page_says_how_to_get_in(service: Asked) -> None:
    said = answer(service, "GET", "/", token=False)
    assert said.status == 401
    assert b"riskcore web" in said.body
    assert (said.header("Content-Type") or "").startswith("text/html")


@pytest.mark.parametrize(
    "path", ["/api/", "/api/status/", "//api/status", "/api//status", "/api/%73tatus", "/API/status", "/api/./status",
             "/api/x/../status", "/index.html", "/api/why/", "/api/why/a/b", "/..%2fapi%2fstatus", "/api/status%00",
             "/api/status;x"]
)  # fmt: skip
def test_paths_are_taken_letter_by_letter(service: Asked, path: str) -> None:
    assert code_of(answer(service, "GET", path)) == (404, "route")


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "POST"])
def test_a_route_has_one_method(service: Asked, method: str) -> None:
    said = answer(service, method, "/api/status")
    assert said.status == 405
    assert said.header("Allow") == "GET"
    assert answer(service, "GET", "/api/lock").header("Allow") == "POST"
    _headers_are_there(said)


@pytest.mark.parametrize("route", ["link", "order", "unlock", "price", "portfolio", "payout", "reset", "note"])
def test_what_commands_ask_is_not_for_a_browser(service: Asked, cookie: str, route: str) -> None:
    own = _own(service)
    assert code_of(answer(service, "POST", f"/api/{route}", own, body="{}")) == (403, "browser")
    assert code_of(answer(service, "POST", f"/api/{route}", own, cookie, token=False, body="{}")) == (403, "browser")


@pytest.mark.parametrize(
    ("lines", "body", "refused"),
    [
        (["X-Riskcore: 0"], LOCK, (403, "header")),
        (["X-Riskcore: 1, 1"], LOCK, (403, "header")),
        (["X-Riskcore: 0", "Content-Type: text/plain"], LOCK, (403, "header")),
        (["Content-Type: text/plain"], LOCK, (415, "type")),
        (["Content-Type: application/x-www-form-urlencoded"], "until=30m", (415, "type")),
        (["Content-Type: text/plain"], "x" * 20_000, (415, "type")),
        ([], '{"until":"' + "x" * 16_373 + '"}', (413, "size")),
        ([], '{"until":"' + "x" * 16_372 + '"}', (400, "value")),
        ([], "", (400, "value")),
        ([], "[]", (400, "value")),
        ([], '{"until":"30m","until":"1m"}', (400, "value")),
        ([], "[" * 10_000, (400, "value")),
        ([], '{"until":30}', (400, "value")),
        ([], '{"until":"30m","token":"x"}', (400, "value")),
        ([], '{"until":"never"}', (400, "value")),
        ([], '{"reason":"no until"}', (400, "value")),
        ([], '{"until":"30m","flatten":"no"}', (400, "value")),
        ([], '{"until":"30m","reason":"\\ud800"}', (400, "value")),
        ([], '{"until":"30m","account":"OTHER"}', (404, "unknown")),
        ([], '{"until":"30m","account":12345}', (404, "unknown")),
    ],
)
def test_a_post_is_looked_at_from_outside_in(
    service: Asked, lines: list[str], body: str, refused: tuple[int, str]
) -> None:
    assert code_of(answer(service, "POST", "/api/lock", *lines, body=body)) == refused


def test_a_body_in_pieces_is_measured_too(service: Asked) -> None:
    part = b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
    head = request(service.control, "POST", "/api/lock", "Transfer-Encoding: chunked")
    assert code_of(say(service.port, head + part * 3 + b"0\r\n\r\n")) == (413, "size")
    whole = b"2\r\n{}\r\n0\r\n\r\n"
    assert code_of(say(service.port, head + whole)) == (400, "value")


@pytest.mark.parametrize(
    ("target", "refused"),
    [
        ("/api/status?x=1", (400, "value")),
        ("/api/status?account=a&x", (400, "value")),
        ("/api/status?stop_ticks=0", (400, "value")),
        ("/api/status?stop_ticks=1&stop_ticks=2", (400, "value")),
        ("/api/status?stop_ticks=%31", None),
        ("/api/limits?stop_ticks=1e3", (400, "value")),
        ("/api/status?account=nobody", (404, "unknown")),
        ("/api/breaches?day=2020-01-01", (404, "unknown")),
        ("/api/breaches?day=yesterday", (400, "value")),
        ("/api/fills?day=", (400, "value")),
        ("/api/events?after=x", (400, "value")),
        ("/api/events?limit=0", (400, "value")),
        ("/api/events?limit=1000", None),
        ("/api/events?limit=1001", (400, "value")),
        ("/api/events?after=2031-01-01:1", (409, "cursor")),
        ("/api/why/unknown%2Fid", (404, "unknown")),
        ("/api/why/%ff", (400, "value")),
        ("/api/stream", (400, "value")),
        ("/api/connections?account=1", (400, "value")),
    ],
)
def test_a_query_is_refused_for_what_it_does_not_know(
    service: Asked, target: str, refused: tuple[int, str] | None
) -> None:
    said = answer(service, "GET", target)
    assert said.status == 200 if refused is None else code_of(said) == refused


# ---- the order of the checks -------------------------------------------------------------------------


def test_the_first_check_that_fails_is_named(service: Asked, cookie: str) -> None:
    """Each step mends one thing more; what is refused moves down the table."""
    lines = {"Host": "evil.example", "Origin": "null", "X": "0", "Type": "text/plain"}
    found = []

    def refused(method: str, path: str, body: str, token: bool) -> None:
        given = [f"Origin: {lines['Origin']}"] if lines["Origin"] else []
        given += [f"X-Riskcore: {lines['X']}", f"Content-Type: {lines['Type']}"]
        said = answer(service, method, path, *given, host=lines["Host"], body=body, token=token)
        found.append(code_of(said)[1])

    refused("POST", "/nothing", "x" * 20_000, False)
    lines["Host"] = f"127.0.0.1:{service.port}"
    refused("POST", "/nothing", "x" * 20_000, False)
    lines["Origin"] = service.control.url
    refused("POST", "/nothing", "x" * 20_000, False)
    refused("POST", "/nothing", "x" * 20_000, True)
    refused("POST", "/api/status", "x" * 20_000, True)
    refused("POST", "/api/link", "x" * 20_000, True)
    lines["Origin"] = ""
    refused("POST", "/api/unlock", "x" * 20_000, True)
    lines["X"] = "1"
    refused("POST", "/api/unlock", "x" * 20_000, True)
    lines["Type"] = "application/json"
    refused("POST", "/api/unlock", "x" * 20_000, True)
    refused("POST", "/api/unlock", "{}", True)
    assert found == ["host", "origin", "token", "route", "method", "browser", "header", "type", "size", "value"]


# ---- what every answer carries -----------------------------------------------------------------------


def _headers_are_there(said: Said) -> None:
    if said.status in (0, 101):
        return
    for name, value in HEADERS.items():
        assert [v for k, v in said.headers if k.lower() == name.lower()] == [value], name
    assert not [name for name, _ in said.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    "target", ["/", "/api/status", "/api/events", "/metrics", "/nothing", "/open?once=x", "/api/why/x"]
)
@pytest.mark.parametrize("token", [True, False])
def test_every_answer_carries_the_headers(service: Asked, target: str, token: bool) -> None:
    _headers_are_there(answer(service, "GET", target, token=token))


# ---- links and cookies -------------------------------------------------------------------------------


def test_a_link_works_once(service: Asked) -> None:
    link = answer(service, "POST", "/api/link", body="{}").row
    assert list(link) == ["schema", "url", "expires_at"]
    target = "/open" + link["url"].partition("/open")[2]
    cross = answer(service, "GET", target, "Sec-Fetch-Site: cross-site", token=False)
    assert code_of(cross) == (403, "origin"), "another site cannot use it up"
    first = answer(service, "GET", target, token=False)
    assert (first.status, first.header("Location")) == (303, "/")
    given = (first.header("Set-Cookie") or "").split("; ")
    assert given[0].startswith(f"riskcore_{service.port}=")
    assert sorted(given[1:]) == ["HttpOnly", "Path=/", "SameSite=Strict"]
    assert service.control.token not in given[0]
    for spent in (target, "/open?once=never", "/open"):
        assert answer(service, "GET", spent, token=False).status == 410
    _headers_are_there(first)


def test_a_link_is_over_after_a_minute() -> None:
    from adapters.web.access import Sessions, hosts_of

    sessions = Sessions(1, hosts_of(1), cookies_allowed=True)
    assert sessions.use_link(sessions.new_link(100.0), 159.9) is not None
    assert sessions.use_link(sessions.new_link(100.0), 160.0) is None


def test_the_page_can_be_switched_off_and_commands_go_on(tmp_path: Any) -> None:
    async def talk() -> list[Said]:
        async with serving(AnsweringDesk(), SmallMarket(), store_at(tmp_path), page=False) as control:
            port = int(control.url.rpartition(":")[2])
            asked = [("GET", "/"), ("GET", "/open?once=x"), ("POST", "/api/link"), ("POST", "/api/flatten")]
            return [
                await asyncio.to_thread(say, port, request(control, method, target, body="{}"))
                for method, target in asked
            ]

    said = asyncio.run(talk())
    assert [one.status for one in said] == [404, 404, 404, 200]


@pytest.mark.parametrize("route", ["lock", "flatten", "cancel-all"])
def test_nothing_is_done_while_nothing_can_be_stored(tmp_path: Any, route: str) -> None:
    desk = AnsweringDesk()

    async def talk() -> Said:
        async with serving(desk, SmallMarket(), store_at(tmp_path), halted="the disk is full") as control:
            port = int(control.url.rpartition(":")[2])
            return await asyncio.to_thread(
                say, port, request(control, "POST", f"/api/{route}", body=LOCK if route == "lock" else "{}")
            )

    said = asyncio.run(talk())
    assert code_of(said) == (503, "halted")
    assert said.row["exit"] == 6
    assert not desk.asked


# ---- attacks -----------------------------------------------------------------------------------------

_ORIGINS = ["Origin: http://evil.example", "Origin: null", "Origin: http://localhost.evil.example:{port}", ""]
_SITES = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", ""]
_TYPES = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json"]
_TARGETS = ["/api/lock", "/api/flatten", "/api/cancel-all", "/api/order", "/api/unlock", "/api/link", "/api/payout",
            "/api/reset", "/api/note"]  # fmt: skip
_HOSTS = [None, "evil.example:{port}", "localhost:{port}"]
_BODIES = [LOCK, "{}", '{"account":null}', "until=30m", '{"action":"close","contract":"MNQ"}', '{"reason":"x"}']


def attempts(chance: Random, service: Asked, cookie: str, number: int) -> list[bytes]:
    """Requests as another site, or a program without the token, could make a browser send them."""
    found = []
    every = list(product(_ORIGINS, _SITES, _TYPES, _TARGETS, _HOSTS, (True, False), _BODIES, ("POST", "GET", "PUT")))
    for origin, site, kind, target, host, with_cookie, body, method in chance.sample(every, number):
        if not origin and not site and not with_cookie:
            with_cookie = True  # A browser of before Fetch Metadata: its form post brings a cookie at most.
        lines = [one.format(port=service.port) for one in (origin, site, f"Content-Type: {kind}") if one]
        lines += [cookie] if with_cookie else []
        lines += ["X-Riskcore: 0"] if chance.random() < 0.5 else []
        name = None if host is None else host.format(port=service.port)
        found.append(request(service.control, method, target, *lines, token=False, host=name, body=body))
    return found


@pytest.mark.parametrize("number", [300, pytest.param(10_000, marks=pytest.mark.nightly)])
def test_no_attempt_from_another_site_changes_anything(service: Asked, cookie: str, number: int) -> None:
    stored = len(service.desk.events)
    for text in attempts(Random(number), service, cookie, number):
        said = say(service.port, text)
        assert 400 <= said.status < 500, text
        _headers_are_there(said)
    assert len(service.desk.events) == stored
    assert service.desk.account_state.lockouts == {}


def test_the_page_itself_may_lock(service: Asked, cookie: str) -> None:
    """Last: the same words from the page's own origin are heard, so the attempts above could have been."""
    said = answer(
        service, "POST", "/api/lock", cookie, _own(service), "Sec-Fetch-Site: same-origin", token=False, body=LOCK
    )
    assert said.status == 200
    assert said.row["commands"]
    assert service.desk.account_state.lockouts
