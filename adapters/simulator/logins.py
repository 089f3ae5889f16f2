"""Users and tokens of the simulated broker: loginKey, validate, logout. Source: topstepx/API.md 1 and 2.5."""

import base64
import hashlib
import hmac
import json

from adapters.simulator.scenario import API_KEY, USER_NAME
from adapters.simulator.venue import Reply
from adapters.topstepx import fields
from adapters.topstepx.fields import Object
from riskcore.core.quantities import SECOND_NS

_USER_NOT_FOUND, _INVALID_CREDENTIALS, _APP_NOT_FOUND, _NO_SUBSCRIPTION = 1, 3, 4, 9
_SESSION_NOT_FOUND, _EXPIRED = 2, 3
_LOGOUT_INVALID_SESSION = 1


class Logins:
    """Tokens look like JSON web tokens and hold their expiry; a new one leaves the older ones as they are.

    Choices where API.md 1 has no source: validate takes an expired token only to say so, logout ends one token.
    """

    def __init__(self, seed: int, life_seconds: int, subscribed: bool) -> None:
        self._secret = f"simulated broker {seed}".encode()
        self._life_ns = life_seconds * SECOND_NS
        self._subscribed = subscribed
        self._expiries: dict[str, int] = {}
        self._issued = 0

    def authorised(self, token: str | None, at: int) -> bool:
        return token is not None and at < self._expiries.get(token, 0)

    def log_in(self, body: Object, at: int) -> Reply:
        """Auth/loginKey. Raises Rejected when a field is missing."""
        user = fields.required(fields.text(body, "userName"), "userName")
        key = fields.required(fields.text(body, "apiKey"), "apiKey")
        if user.lower() != USER_NAME:
            return Reply({"token": None}, _USER_NOT_FOUND)
        if not hmac.compare_digest(key.encode(), API_KEY.encode()):
            return Reply({"token": None}, _INVALID_CREDENTIALS)
        if not self._subscribed:
            return Reply({"token": None}, _NO_SUBSCRIPTION, "User lacks subscription")
        return Reply({"token": self._issue(at)})

    def log_in_as_application(self, body: Object, at: int) -> Reply:
        """Auth/loginApp, whose documentation is withdrawn: no application is known."""
        return Reply({"token": None}, _APP_NOT_FOUND)

    def validate(self, token: str | None, at: int) -> Reply | None:
        """Auth/validate: another token; None when no token came at all (HTTP 401)."""
        if token is None:
            return None
        if self.authorised(token, at):
            return Reply({"newToken": self._issue(at)})
        return Reply({"newToken": None}, _EXPIRED if token in self._expiries else _SESSION_NOT_FOUND)

    def log_out(self, token: str | None, at: int) -> Reply | None:
        """Auth/logout: this token opens nothing any more; None when no token came at all (HTTP 401)."""
        if token is None:
            return None
        known = self.authorised(token, at)
        self._expiries.pop(token, None)
        return Reply() if known else Reply(code=_LOGOUT_INVALID_SESSION)

    def _issue(self, at: int) -> str:
        self._issued += 1
        self._expiries = {token: expiry for token, expiry in self._expiries.items() if at < expiry + self._life_ns}
        expires_at = at + self._life_ns
        claims = {"sub": USER_NAME, "jti": self._issued, "iat": at // SECOND_NS, "exp": expires_at // SECOND_NS}
        signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
        signature = hmac.new(self._secret, signed.encode(), hashlib.sha256).digest()
        token = f"{signed}.{_text(signature)}"
        self._expiries[token] = expires_at
        return token


def _part(value: Object) -> str:
    return _text(json.dumps(value, separators=(",", ":")).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
