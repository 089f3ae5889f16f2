"""HTTP to the broker over httpx: certificates always checked, no redirects, one pool of connections kept open.

Nothing but httpx's own connection pool lies between a call and the socket: cookies, redirects and login flows of
its client are not needed, and enforcement waits for none of them. Source: INTERFACE.md 2, DESIGN.md "Requests".
"""

import urllib.request
from collections.abc import AsyncIterator, Mapping
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

import httpx

from adapters.topstepx.transport import LARGEST_ANSWER_BYTES, Answer, NotSent, Unanswered
from riskcore.errors import ConfigError

# A host that answers no connection attempt got nothing: said before the caller's own limit makes it a riddle.
CONNECT_SECONDS = 2.0
# Load balancers let a silent connection go after a minute; ours is let go first.
KEEP_ALIVE_SECONDS = 55.0
MOST_KEPT_OPEN = 20
_SECURE = {"https": "wss", "wss": "wss"}
_PLAIN = {"http": "ws", "ws": "ws"}


def base_url(text: str) -> str:
    """The REST base without a closing slash: https to anywhere, http to loopback only. Raises ConfigError."""
    parts = _checked(text, ("https", "http"), "RISKCORE_API_URL (--api-url)")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def hub_url(text: str) -> str:
    """The hub base as wss (to loopback also ws), without a closing slash. Raises ConfigError."""
    parts = _checked(text, ("https", "wss", "http", "ws"), "RISKCORE_RTC_URL (--rtc-url)")
    scheme = {**_SECURE, **_PLAIN}[parts.scheme]
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine: localhost, 127.0.0.0/8 or ::1."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _checked(text: str, schemes: tuple[str, ...], where: str) -> SplitResult:
    """The parts of an address. It may hold a password or a token, so an error never repeats it."""
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigError(f"{where} is no address; write it like https://api.example.com") from None
    if parts.scheme not in schemes or not host or port == 0:
        raise ConfigError(f"{where} is no {schemes[0]} address; write it like https://api.example.com")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError(f"{where} must be scheme, host and port only: no user name, no question mark, no #")
    if parts.scheme in _PLAIN and not is_loopback(host):
        raise ConfigError(
            f"{where}: {parts.scheme} to {host} would send the login in clear; use https "
            "(plain http is for this machine's own addresses only)"
        )
    return parts


class HttpTransport:
    """Calls to one base URL, `base` (adapters.topstepx.transport.Transport)."""

    def __init__(self, base: str, connect_seconds: float = CONNECT_SECONDS) -> None:
        """Raises ConfigError for an address that `base_url` refuses."""
        self.base = base_url(base)
        self._host = httpx.URL(self.base).netloc
        self._urls: dict[str, httpx.URL] = {}
        self._timeout = {"connect": connect_seconds}
        proxy = proxy_of(self.base)
        self._pool = httpx.AsyncHTTPTransport(
            verify=True,
            trust_env=proxy is not None or not is_loopback(httpx.URL(self.base).host),
            proxy=proxy,
            limits=httpx.Limits(
                max_connections=None,  # A close must not queue behind questions that are never answered.
                max_keepalive_connections=MOST_KEPT_OPEN,
                keepalive_expiry=KEEP_ALIVE_SECONDS,
            ),
        )

    def __repr__(self) -> str:
        return f"HttpTransport({self.base!r})"

    async def call(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One request. Raises NotSent, Unanswered; neither names a header or a body."""
        request = httpx.Request(
            method,
            self._url(path),
            headers=[
                (b"host", self._host),
                (b"content-length", b"%d" % len(body)),
                (b"accept-encoding", b"gzip"),
                *((name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()),
            ],
            stream=_Body(body),
            extensions={"timeout": self._timeout},
        )
        try:
            response = await self._pool.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            raise NotSent(f"no connection to {self.base}: {_why(error)}") from None
        except httpx.LocalProtocolError:  # Its text would show the header that cannot be written.
            raise NotSent(f"{self.base} was not asked: a header cannot be written as HTTP") from None
        except (httpx.TransportError, OSError) as error:
            raise Unanswered(f"{self.base} broke the call {path} off: {_why(error)}") from None
        try:
            content = await self._read(response, path)
        except (httpx.TransportError, httpx.DecodingError, OSError) as error:
            raise Unanswered(f"{self.base} broke the answer to {path} off: {_why(error)}") from None
        finally:
            await response.aclose()
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, found, content)

    def _url(self, path: str) -> httpx.URL:
        """Parsing an address takes longer than everything else before the socket, so it is done once."""
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = httpx.URL(self.base + path)
        return url

    async def _read(self, response: httpx.Response, path: str) -> bytes:
        pieces: list[bytes] = []
        size = 0
        async for piece in response.aiter_bytes():
            size += len(piece)
            if size > LARGEST_ANSWER_BYTES:
                raise Unanswered(f"{self.base} answered {path} with more than {LARGEST_ANSWER_BYTES} bytes")
            pieces.append(piece)
        return b"".join(pieces)

    async def close(self) -> None:
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    """A request's body as it is."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body


def proxy_of(base: str) -> str | None:
    """The proxy that the system names for an address; none for this machine itself."""
    url = httpx.URL(base)
    if is_loopback(url.host) or urllib.request.proxy_bypass(url.host):
        return None
    found = urllib.request.getproxies()
    address = found.get(url.scheme) or found.get("all")
    return address if address is None or "://" in address else f"http://{address}"


def _why(error: Exception) -> str:
    """What happened, in httpx's words; a proxy's address with its password is not among them."""
    text = str(error).strip()
    return text if text and "@" not in text else type(error).__name__
