"""What is sent to the broker and the frame of what it answers. Source: topstepx/API.md 2.

Requests take prices as integers of 1e-9 points and instants as nanoseconds, and write both exactly: a price is
a JSON number made from its digits, never a float. A field that is None is sent as null where the broker's own
documents show it so, and left out where they do not.
"""

from typing import Annotated, Any, ClassVar, Final

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from adapters.topstepx import fields
from adapters.topstepx.fields import Number
from riskcore.core.quantities import price_text
from riskcore.schema.instants import utc_text

_PRICE: Final = "price"
_INSTANT: Final = "instant"
_LEFT_OUT: Final = "left out when None"

Account = Annotated[int, Field(gt=0, lt=2**31)]
OrderId = Annotated[int, Field(gt=0, lt=2**63)]
Size = Annotated[int, Field(gt=0, lt=2**31)]
OptionalSize = Annotated[int | None, Field(gt=0, lt=2**31)]
ContractId = Annotated[str, Field(min_length=1, max_length=100)]
Price = Annotated[int | None, _PRICE]
Instant = Annotated[int, Field(ge=0), _INSTANT]
OptionalInstant = Annotated[int | None, Field(ge=0), _INSTANT, _LEFT_OUT]
Ticks = Annotated[int, Field(gt=-(2**31), lt=2**31)]
OrderType = Annotated[int, Field(ge=1, le=7)]
Side = Annotated[int, Field(ge=0, le=1)]
Status = Annotated[int, Field(ge=0, le=99)]

SORT_BY_ID, ASCENDING = 1, 0
_MICROSECOND_NS = 1_000  # The broker's own instants have no more digits in REST (API.md 3.6).
LARGEST_PAGE = 100  # Orders in one answer of Order/v2/query, whatever is asked for (API.md 2.4).
MOST_BARS = 20_000
SECONDS_UNIT = 1


class Body(BaseModel):
    """The body of one request; `PATH` is where it goes."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(serialization_alias=to_camel),
        extra="forbid",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
    )
    PATH: ClassVar[str] = ""
    MUTATES: ClassVar[bool] = False  # Whether it changes anything at the broker: such a call is never sent twice.

    def written(self) -> dict[str, Any]:
        """The object as it is sent, numbers as fields.decode reads them."""
        found: dict[str, Any] = {}
        for name, about in type(self).model_fields.items():
            value = getattr(self, name)
            if value is None and _LEFT_OUT in about.metadata:
                continue
            found[about.serialization_alias or name] = _written(value, about.metadata)
        return found

    def text(self) -> str:
        """The JSON that is sent, exact."""
        return fields.encode(self.written())


def _written(value: Any, marks: list[Any]) -> Any:
    if value is None:
        return None
    if _PRICE in marks:
        text = price_text(value)
        return int(text) if text.lstrip("-").isdigit() else Number(text)
    if _INSTANT in marks:
        return utc_text(value - value % _MICROSECOND_NS)
    if isinstance(value, Body):
        return value.written()
    return list(value) if isinstance(value, tuple) else value


class LoginKey(Body):
    PATH: ClassVar[str] = "/api/Auth/loginKey"
    user_name: str = Field(repr=False, min_length=1)
    api_key: str = Field(repr=False, min_length=1)


class Validate(Body):
    PATH: ClassVar[str] = "/api/Auth/validate"


class Logout(Body):
    PATH: ClassVar[str] = "/api/Auth/logout"


class AccountSearch(Body):
    PATH: ClassVar[str] = "/api/Account/search"
    only_active_accounts: bool


class ContractSearch(Body):
    PATH: ClassVar[str] = "/api/Contract/search"
    live: bool
    search_text: str


class ContractSearchById(Body):
    PATH: ClassVar[str] = "/api/Contract/searchById"
    contract_id: ContractId


class ContractAvailable(Body):
    PATH: ClassVar[str] = "/api/Contract/available"
    live: bool


class RetrieveBars(Body):
    PATH: ClassVar[str] = "/api/History/retrieveBars"
    contract_id: ContractId
    live: bool
    start_time: Instant
    end_time: Instant
    unit: Annotated[int, Field(ge=1, le=7)]
    unit_number: Annotated[int, Field(ge=1)]
    limit: Annotated[int, Field(ge=1, le=MOST_BARS)]
    include_partial_bar: bool


class Bracket(Body):
    """Signed ticks from the entry: below zero for a long's stop and a short's target (API.md 0.8)."""

    ticks: Ticks
    type: OrderType


class OrderPlace(Body):
    PATH: ClassVar[str] = "/api/Order/place"
    MUTATES: ClassVar[bool] = True
    account_id: Account
    contract_id: ContractId
    type: OrderType
    side: Side
    size: Size
    limit_price: Price = None
    stop_price: Price = None
    trail_price: Price = None
    custom_tag: str | None = None
    stop_loss_bracket: Annotated[Bracket | None, _LEFT_OUT] = None
    take_profit_bracket: Annotated[Bracket | None, _LEFT_OUT] = None


class OrderModify(Body):
    """None keeps what the order has (API.md 8.7)."""

    PATH: ClassVar[str] = "/api/Order/modify"
    MUTATES: ClassVar[bool] = True
    account_id: Account
    order_id: OrderId
    size: OptionalSize = None
    limit_price: Price = None
    stop_price: Price = None
    trail_price: Price = None


class OrderCancel(Body):
    PATH: ClassVar[str] = "/api/Order/cancel"
    MUTATES: ClassVar[bool] = True
    account_id: Account
    order_id: OrderId

    def text(self) -> str:
        """As every body's, in one step, because enforcement waits for it."""
        return f'{{"accountId":{self.account_id},"orderId":{self.order_id}}}'


class OrderSearch(Body):
    PATH: ClassVar[str] = "/api/Order/search"
    account_id: Account
    start_timestamp: Instant
    end_timestamp: OptionalInstant = None


class OrderSearchOpen(Body):
    PATH: ClassVar[str] = "/api/Order/searchOpen"
    account_id: Account


class OrderSearchById(Body):
    PATH: ClassVar[str] = "/api/Order/searchById"
    account_id: Account
    order_id: OrderId


class OrderFilter(Body):
    """Orders of any status where no statuses are named."""

    account_id: Account
    statuses: Annotated[tuple[Status, ...] | None, _LEFT_OUT] = None
    created_after: OptionalInstant = None
    created_before: OptionalInstant = None


class OrderQuery(Body):
    """One page; `page_offset` counts rows (API.md 2.4)."""

    PATH: ClassVar[str] = "/api/Order/v2/query"
    filter: OrderFilter
    page_size: int = LARGEST_PAGE
    page_offset: int = 0
    sort_by: int = SORT_BY_ID
    sort_direction: int = ASCENDING
    include_total_count: bool = True


class PositionSearchOpen(Body):
    PATH: ClassVar[str] = "/api/Position/searchOpen"
    account_id: Account


class CloseContract(Body):
    PATH: ClassVar[str] = "/api/Position/closeContract"
    MUTATES: ClassVar[bool] = True
    account_id: Account
    contract_id: ContractId

    def text(self) -> str:
        """As every body's, in one step, because enforcement waits for it."""
        return f'{{"accountId":{self.account_id},"contractId":{fields.encode(self.contract_id)}}}'


class PartialCloseContract(Body):
    PATH: ClassVar[str] = "/api/Position/partialCloseContract"
    MUTATES: ClassVar[bool] = True
    account_id: Account
    contract_id: ContractId
    size: Size


class TradeSearch(Body):
    PATH: ClassVar[str] = "/api/Trade/search"
    account_id: Account
    start_timestamp: Instant
    end_timestamp: OptionalInstant = None


PING: Final = "/api/Status/ping"  # GET, without a body.


class Envelope(BaseModel):
    """The frame of every answer. Fields it does not know are ignored; a wrong type makes it no envelope."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=to_camel),
        extra="ignore",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
    )
    success: bool
    error_code: int | None = None
    error_message: str | None = None
    order_id: int | None = None
    token: str | None = Field(default=None, repr=False)
    new_token: str | None = Field(default=None, repr=False)

    @property
    def good(self) -> bool:
        return self.success and not self.error_code


def envelope(response: Any) -> Envelope | None:
    """The frame of a decoded answer, None for anything that is none: no object, a field missing or of a wrong type."""
    if not isinstance(response, dict):
        return None
    try:
        return Envelope.model_validate(response)
    except ValidationError:
        return None
