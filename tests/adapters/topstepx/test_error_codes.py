"""The meaning of every code of every endpoint (API.md 2.5) and of every HTTP status (DESIGN.md "Requests")."""

from typing import Any

import pytest

from adapters.topstepx.error_codes import CODES, judge, tag_in_use

PLACE, MODIFY, CANCEL = "/api/Order/place", "/api/Order/modify", "/api/Order/cancel"
CLOSE, PARTIAL = "/api/Position/closeContract", "/api/Position/partialCloseContract"
MUTATING = (PLACE, MODIFY, CANCEL, CLOSE, PARTIAL)
A, R, U = "accepted", "refused", "unresolved"

# The table of API.md 2.5 by hand: name and outcome of every code from 1.
TABLE: dict[str, list[tuple[str, str]]] = {
    "Auth/loginKey": [
        ("UserNotFound", R),
        ("PasswordVerificationFailed", R),
        ("InvalidCredentials", R),
        ("AppNotFound", R),
        ("AppVerificationFailed", R),
        ("InvalidDevice", R),
        ("AgreementsNotSigned", R),
        ("UnknownError", U),
        ("ApiSubscriptionNotFound", R),
        ("ApiKeyAuthenticationDisabled", R),
    ],
    "Auth/validate": [("InvalidSession", R), ("SessionNotFound", R), ("ExpiredToken", R), ("UnknownError", U)],
    "Auth/logout": [("InvalidSession", R), ("UnknownError", U)],
    "Order/place": [
        ("AccountNotFound", R),
        ("OrderRejected", R),
        ("InsufficientFunds", R),
        ("AccountViolation", R),
        ("OutsideTradingHours", R),
        ("OrderPending", U),
        ("UnknownError", U),
        ("ContractNotFound", R),
        ("ContractNotActive", R),
        ("AccountRejected", R),
    ],
    "Order/modify": [
        ("AccountNotFound", R),
        ("OrderNotFound", R),
        ("Rejected", R),
        ("Pending", U),
        ("UnknownError", U),
        ("AccountRejected", R),
        ("ContractNotFound", R),
    ],
    "Order/cancel": [
        ("AccountNotFound", R),
        ("OrderNotFound", A),
        ("Rejected", R),
        ("Pending", U),
        ("UnknownError", U),
        ("AccountRejected", R),
    ],
    "Position/closeContract": [
        ("AccountNotFound", R),
        ("PositionNotFound", A),
        ("ContractNotFound", R),
        ("ContractNotActive", R),
        ("OrderRejected", R),
        ("OrderPending", U),
        ("UnknownError", U),
        ("AccountRejected", R),
    ],
    "Position/partialCloseContract": [
        ("AccountNotFound", R),
        ("PositionNotFound", A),
        ("ContractNotFound", R),
        ("ContractNotActive", R),
        ("InvalidCloseSize", R),
        ("OrderRejected", R),
        ("OrderPending", U),
        ("UnknownError", U),
        ("AccountRejected", R),
    ],
    "History/retrieveBars": [
        ("ContractNotFound", R),
        ("UnitInvalid", R),
        ("UnitNumberInvalid", R),
        ("LimitInvalid", R),
    ],
    "Contract/searchById": [("ContractNotFound", R)],
    "Order/search": [("AccountNotFound", R)],
    "Order/searchOpen": [("AccountNotFound", R)],
    "Order/v2/query": [("AccountNotFound", R)],
    "Order/searchById": [("OrderNotFound", R)],
    "Position/searchOpen": [("AccountNotFound", R)],
    "Trade/search": [("AccountNotFound", R)],
}


def failed(code: Any, message: str | None = None, **more: Any) -> dict[str, Any]:
    return {"success": False, "errorCode": code, "errorMessage": message, **more}


def test_no_code_is_missing_and_none_is_invented() -> None:
    assert {path.removeprefix("/api/"): list(codes) for path, codes in CODES.items()} == {
        path: list(range(1, len(rows) + 1)) for path, rows in TABLE.items()
    }


@pytest.mark.parametrize(
    ("path", "code", "name", "kind"),
    [(path, code, name, kind) for path, rows in TABLE.items() for code, (name, kind) in enumerate(rows, 1)],
)
def test_every_code(path: str, code: int, name: str, kind: str) -> None:
    assert CODES[f"/api/{path}"][code].name == name
    outcome = judge(f"/api/{path}", 200, failed(code))
    assert outcome.kind == kind
    assert len(outcome.reason) > 15
    if kind != A:
        assert f"({name})" in outcome.reason


@pytest.mark.parametrize("path", MUTATING)
def test_success(path: str) -> None:
    outcome = judge(path, 200, {"success": True, "errorCode": 0, "errorMessage": None, "orderId": 9056})
    assert (outcome.kind, outcome.reason, outcome.order_id) == ("accepted", "", 9056)


def test_a_rejected_placement_names_its_order_and_the_broker_s_words() -> None:
    message = "Brackets cannot be used with Position Brackets. You must enable Auto OCO Brackets."
    outcome = judge(PLACE, 200, failed(2, message, orderId=9057))
    assert (outcome.kind, outcome.order_id) == ("refused", 9057)
    assert outcome.reason == f'the order was rejected (OrderRejected): "{message}"'


@pytest.mark.parametrize("path", MUTATING)
@pytest.mark.parametrize(
    "response",
    [
        None,
        "<html>",
        [],
        {},
        {"success": "yes"},
        {"success": True, "errorCode": 3},
        failed(0),
        failed(None),
        failed(99),
        failed("2"),
    ],
)
def test_an_answer_that_proves_nothing(path: str, response: Any) -> None:
    assert judge(path, 200, response).kind == "unresolved"


@pytest.mark.parametrize("path", MUTATING)
@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, R), (401, R), (403, R), (404, U), (302, U), (201, U), (408, U), (500, U), (502, U), (503, U), (504, U)],
)
def test_every_status(path: str, status: int, kind: str) -> None:
    outcome = judge(path, status, None)
    assert outcome.kind == kind
    assert str(status) in outcome.reason


@pytest.mark.parametrize(("path", "kind"), [(PLACE, U), (MODIFY, U), (PARTIAL, U), (CLOSE, R), (CANCEL, R)])
def test_too_many_requests(path: str, kind: str) -> None:
    assert judge(path, 429, None).kind == kind


def test_problem_details_are_told() -> None:
    outcome = judge(PLACE, 400, {"title": "One or more validation errors occurred.", "status": 400})
    assert outcome.reason.endswith(': "One or more validation errors occurred."')
    assert judge(PLACE, 400, {"title": 7}).reason.endswith("(HTTP 400)")


def test_words_of_the_broker_are_cut_and_hold_no_secret() -> None:
    assert len(judge(PLACE, 200, failed(2, "x" * 5000)).reason) < 300
    assert judge(PLACE, 200, failed(2, "a\n b")).reason.endswith('"a b"')
    for path in ("/api/Auth/loginKey", "/api/Auth/validate"):
        assert "SECRET" not in judge(path, 200, failed(3, "SECRET is no key")).reason
        assert "SECRET" not in judge(path, 400, {"title": "SECRET is no key"}).reason
    assert "eyJhbGciOi" not in judge(PLACE, 200, failed(2, "Bearer eyJhbGciOiJIUzI1NiJ9.x.y is bad")).reason


def test_a_used_tag_is_noticed() -> None:
    assert tag_in_use(failed(2, "Custom tag already in use."))
    assert not tag_in_use(failed(2, "Invalid stop price"))
    assert not tag_in_use(failed(2))
    assert not tag_in_use({"success": True, "errorMessage": "custom tag already in use"})
    assert not tag_in_use(None)
