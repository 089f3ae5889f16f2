"""The invariants of DESIGN.md "How we know", judged from outside the engine: stored rows, sent bytes, the broker.

`Judge` follows one run across all its processes. It decodes what the disk took, so it sees what a restart would see;
of the engine it reads nothing but the book behind each commit. Each finding names its invariant.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from adapters.simulator.broker import Broker
from adapters.simulator.records import Fill
from adapters.topstepx.fields import decode
from riskcore.core import events as e
from riskcore.core.freshness import reconciled
from riskcore.core.in_force import next_flat_check
from riskcore.core.kinds import CLOSING, OBLIGATION_KINDS
from riskcore.core.order_roles import entry_orders
from riskcore.core.programme.balances import BASE_SETTLED, FLOOR, recall
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import (
    STATUS_PENDING,
    STATUS_PENDING_CANCELLATION,
    STATUS_REJECTED,
    TYPE_MARKET,
    Account,
    Book,
    Obligation,
    Order,
)
from riskcore.schema.chain import HASH_LENGTH, Link
from riskcore.schema.codec import decode_event
from tests.simulation.equity import Equity
from tests.simulation.exit_orders import ExitOrders

# Calls that change something, the field of their body that says on what, and the request kinds they carry out.
MUTATING = {
    "/api/Position/closeContract": ("contractId", ("closeContract",)),
    "/api/Position/partialCloseContract": ("contractId", ("partialCloseContract",)),
    "/api/Order/cancel": ("orderId", ("cancelOrder",)),
    "/api/Order/modify": ("orderId", ("modifyStop", "modifyOrder")),
    "/api/Order/place": ("customTag", ("placeStop", "placeOrder")),
}
_PATH_OF = {kind: path for path, (_, kinds) in MUTATING.items() for kind in kinds}
_HARMLESS = ("/api/Position/closeContract", "/api/Order/cancel")
# So shortly before an order of ours fills others may close the position: nobody can take the order back in time. A
# stop rests at the exchange, and while the user hub is lost positions are looked at every five seconds.
FORESTALLED_STOP_NS = 12 * SECOND_NS
POLLED_NS = 10 * SECOND_NS
_OPEN = ("planned", "attempted", "accepted", "unresolved")
_LISTS = {"PositionsListed": "positions", "OrdersListed": "orders", "TradesListed": "fills"}
_IN_SIGHT = ("positions", "orders")
Key = tuple[str, int, object]


@dataclass(slots=True)
class Sent:
    """One planned request as the journal tells it."""

    plan: e.RequestPlanned
    state: str
    at: int
    unresolved_at: int | None = None

    @property
    def target(self) -> str:
        plan = self.plan
        return f"{plan.account}/{plan.kind}/{plan.contract or 'account' if plan.order_id is None else plan.order_id}"

    @property
    def key(self) -> Key:
        plan, path = self.plan, _PATH_OF.get(self.plan.kind, "")
        about: object = {"contractId": plan.contract, "orderId": plan.order_id, "customTag": plan.tag}.get(
            MUTATING[path][0] if path else ""
        )
        return path, plan.account, about


@dataclass(slots=True)
class Judge:
    """Findings of one run. `enforcement_tags` and `operator_tags` are the tags of orders that riskcore placed."""

    broker: Broker
    violations: list[str] = field(default_factory=list)
    disk_broken: bool = False
    seqs: dict[str, int] = field(default_factory=dict)
    requests: dict[str, Sent] = field(default_factory=dict)
    obligations: dict[str, int] = field(default_factory=dict)  # In force, and since when.
    ever: dict[str, str] = field(default_factory=dict)  # Every obligation there ever was, and its kind.
    may_send: Counter[Key] = field(default_factory=Counter)
    ambiguous: dict[str, int] = field(default_factory=dict)  # Per target: since when nobody knows.
    listed_at: dict[tuple[int, str], int] = field(default_factory=dict)
    asked_at: dict[tuple[int, str], int] = field(default_factory=dict)
    user_hub: tuple[str, int] = ("lost", 0)  # Its state, and since when.
    enforcement_tags: set[str] = field(default_factory=set)
    drifts: set[tuple[int, str]] = field(default_factory=set)
    ended_lockouts: dict[tuple[int, str], tuple[str, int]] = field(default_factory=dict)
    tags: dict[int, str] = field(default_factory=dict)  # Of each order that was told with one.
    rejected: set[str] = field(default_factory=set)  # The tags whose order the exchange did not take.
    overrides: int = 0
    resets: int = 0  # Of the programme, by the operator.
    shadows: set[str] = field(default_factory=set)  # Breaches that only record.
    floors: dict[int, tuple[int, int]] = field(default_factory=dict)  # Of the programme, and the resets by then.
    lockouts: dict[tuple[int, str], int | None] = field(default_factory=dict)
    exit_orders: ExitOrders = field(init=False)
    equity: Equity = field(init=False)
    _broker_seen: int = 0
    _chain: bytes = b""

    def __post_init__(self) -> None:
        self.exit_orders = ExitOrders(self.broker, lambda text: self.find("I6", text))
        self.equity = Equity(self.broker)

    def find(self, invariant: str, text: str) -> None:
        self.violations.append(f"{invariant}: {text}")

    # ---- what the disk takes ---------------------------------------------------------------------------

    def committed(self, rows: Sequence[Link]) -> None:
        """Rows that have just become durable."""
        for stream, seq, topic, state in rows:
            if seq != self.seqs.get(stream, 0) + 1:
                self.find("I3", f"{stream} has event {seq} behind event {self.seqs.get(stream, 0)}")
            self.seqs[stream] = seq
            self._chain = sha256(self._chain + state[HASH_LENGTH:]).digest()
            if not state.startswith(self._chain):
                self.find("I3", f"event {seq} of {stream} does not hang on the one before it")
            handle = _HANDLERS.get(topic.partition(".")[0])
            if handle is not None:
                handle(self, decode_event(topic, state[HASH_LENGTH:])[1])

    def _started(self, event: e.Event) -> None:
        if self.user_hub[0] == "connected":
            self.user_hub = ("lost", event.at)
        for sent in self.requests.values():
            if sent.state == "attempted":
                sent.state, sent.at = "unresolved", event.at
            elif sent.state == "planned" and sent.plan.obligation:
                sent.state = "over"  # Planned anew from what there is now.

    def _connection(self, event: e.Event) -> None:
        body = event.body
        assert isinstance(body, e.ConnectionChanged)
        if body.hub == "user" and body.state != self.user_hub[0]:
            self.user_hub = (body.state, event.at)

    def _in_sight(self, account: int, now: int) -> bool:
        """Listed since the events of the account came in; or, while they do not, listed a moment ago."""
        state, since = self.user_hub
        asked_at = min(self.asked_at.get((account, name), 0) for name in _IN_SIGHT)
        return asked_at >= since if state == "connected" else asked_at > since and now - asked_at < POLLED_NS

    def _listed(self, event: e.Event) -> None:
        body = event.body
        assert isinstance(body, e.PositionsListed | e.OrdersListed | e.TradesListed)
        self.exit_orders.listed(body, event.at)
        name = _LISTS[type(body).__name__]
        self.listed_at[body.account, name] = event.at
        # An answer that comes after the answer to a later question tells nothing new.
        asked_at = event.at if body.asked_at is None else body.asked_at
        self.asked_at[body.account, name] = max(asked_at, self.asked_at.get((body.account, name), 0))

    def _issued(self, event: e.Event) -> None:
        body = event.body
        assert isinstance(body, e.CommandIssued)
        if body.breach in self.shadows and body.command.kind != "Alert":
            self.find("I14", f"{body.id} acts on a breach that only records")
        if body.command.kind in OBLIGATION_KINDS:
            self.obligations[body.id] = event.at
            self.ever[body.id] = body.command.kind

    def _breached(self, event: e.Event) -> None:
        assert isinstance(event.body, e.RuleBreached)
        if event.body.shadow:
            self.shadows.add(event.body.id)

    def _met(self, event: e.Event) -> None:
        assert isinstance(event.body, e.ObligationMet)
        self.obligations.pop(event.body.obligation, None)

    def _planned(self, event: e.Event) -> None:
        plan = event.body
        assert isinstance(plan, e.RequestPlanned)
        sent = Sent(plan, "planned", event.at)
        if plan.obligation:
            self._must_be_wanted(event, sent)
        for other in self.requests.values():
            same = other.target == sent.target and other.plan.obligation == plan.obligation
            if same and other.state in _OPEN and plan.obligation:
                self.find("I5", f"{plan.request} is planned while {other.plan.request} is {other.state}")
        if plan.kind in CLOSING:
            self.exit_orders.planned(plan)
        else:
            self._must_not_be_blind(event, sent)
        if plan.tag is not None and plan.kind == "placeStop":
            self.enforcement_tags.add(plan.tag)
        self.requests[plan.request] = sent

    def _must_be_wanted(self, event: e.Event, sent: Sent) -> None:
        plan = sent.plan
        if plan.obligation not in self.obligations:
            self.find("I8", f"{plan.request} is planned for an obligation that is not in force")
        closes = self.ever.get(plan.obligation) in ("CloseAllPositions", "ClosePosition")
        asks = plan.kind == "takeSnapshot" and closes
        if plan.kind != "closeContract" and not asks and not self._in_sight(plan.account, event.at):
            self.find("I8", f"{plan.request} is planned while account {plan.account} is not reconciled")

    def _must_not_be_blind(self, event: e.Event, sent: Sent) -> None:
        """An unresolved request is repeated only when a later list has shown what happened (I6)."""
        since = self.ambiguous.get(sent.target)
        kind, account = sent.plan.kind, sent.plan.account
        if since is None or kind == "takeSnapshot":
            return
        shown = all(self.listed_at.get((account, name), 0) > since for name in _IN_SIGHT)
        if shown:
            del self.ambiguous[sent.target]
        else:
            self.find("I6", f"{sent.plan.request} repeats what nobody knows the outcome of since {since}")

    def _attempted(self, event: e.Event) -> None:
        assert isinstance(event.body, e.RequestAttempted)
        sent = self.requests.get(event.body.request)
        if sent is None or sent.state != "planned":
            state = "never planned" if sent is None else sent.state
            self.find("I5", f"{event.body.request} is attempted although it is {state}")
            return
        sent.state, sent.at = "attempted", event.at
        self.exit_orders.attempted(sent.plan)
        if sent.key[0]:
            self.may_send[sent.key] += 1

    def _accepted(self, event: e.Event) -> None:
        self._answered(event, "accepted")

    def _unresolved(self, event: e.Event) -> None:
        self._answered(event, "unresolved")

    def _refused(self, event: e.Event) -> None:
        self._answered(event, "refused")

    def _answered(self, event: e.Event, state: str) -> None:
        body = event.body
        assert isinstance(body, e.RequestAccepted | e.RequestUnresolved | e.RequestRefused)
        sent = self.requests.get(body.request)
        if sent is None:
            self.find("I1", f"an answer to {body.request}, which was never planned")
        elif sent.state in _OPEN:
            sent.state, sent.at = state, event.at
            if state == "unresolved":
                sent.unresolved_at = event.at

    def _over(self, event: e.Event) -> None:
        body = event.body
        assert isinstance(body, e.RequestConfirmed | e.RequestSuperseded)
        sent = self.requests[body.request]
        known = sent.plan.tag in self.rejected
        if isinstance(body, e.RequestSuperseded) and sent.state in ("attempted", "unresolved") and not known:
            # Attempted and never answered counts as unknown since its time was up.
            self.ambiguous[sent.target] = sent.at
        if isinstance(body, e.RequestConfirmed):
            self.ambiguous.pop(sent.target, None)
        else:
            self.exit_orders.over(sent.plan, sent.state, sent.at)
        sent.state = "over"

    def _filled(self, event: e.Event) -> None:
        assert isinstance(event.body, e.TradeRecorded)
        self.equity.told(event.body, event.at)

    def _order(self, event: e.Event) -> None:
        body = event.body
        assert isinstance(body, e.OrderObserved)
        self.exit_orders.told(body.order_id, body.status, event.at)
        tag = self.tags[body.order_id] = body.tag or self.tags.get(body.order_id, "")
        if body.status == STATUS_REJECTED:
            self.rejected.add(tag)

    def _drift(self, event: e.Event) -> None:
        assert isinstance(event.body, e.DriftDetected)
        self.drifts.add((event.body.account, event.body.contract))
        self.equity.drifted(event.body)

    def _lockout_ended(self, event: e.Event) -> None:
        body = event.body
        assert isinstance(body, e.LockoutEnded)
        self.ended_lockouts[body.account, body.lockout] = (body.ended_by, event.at)

    def _override(self, event: e.Event) -> None:
        self.overrides += 1

    def _programme_reset(self, event: e.Event) -> None:
        self.resets += 1

    # ---- what leaves -----------------------------------------------------------------------------------

    def sending(self, path: str, body: bytes) -> None:
        """Bytes that are about to leave (I1)."""
        if path not in MUTATING:
            return
        key = _key_of(path, body)
        if self.may_send[key] > 0:
            self.may_send[key] -= 1
        elif not (self.disk_broken and path in _HARMLESS and self.obligations):
            self.find("I1", f"{path} {body.decode()} leaves and no attempt of it is stored")

    def unauthorised(self, path: str, body: bytes) -> None:
        """The broker proved by a 401 that it did nothing: the same call may be made once more."""
        if path in MUTATING:
            self.may_send[_key_of(path, body)] += 1

    # ---- what the engine believes ----------------------------------------------------------------------

    def believes(self, book: Book) -> None:
        """The book right behind a commit."""
        for account in book.accounts.values():
            self._lockouts_hold(account, book)
            self._floor_holds(account)
            for difference in self.equity.differences(book, account):
                self.find("I13", difference)
            for obligation in account.obligations.values():
                self._is_pursued(book, account, obligation)

    def _lockouts_hold(self, account: Account, book: Book) -> None:
        now = {(account.id, key): lockout.expires_at for key, lockout in account.lockouts.items()}
        for key, expires_at in self.lockouts.items():
            if key[0] != account.id:
                continue
            if key in now:
                after = now[key]
                if after is not None and (expires_at is None or after < expires_at):
                    self.find("I12", f"lockout {key} is shorter than it was")
                continue
            ended_by, at = self.ended_lockouts.get(key, ("nothing", 0))
            own_end = ended_by in ("expiry", "reset") and expires_at is not None and at >= expires_at
            said = (ended_by == "override" and self.overrides) or (ended_by == "operator" and self.resets)
            if not (own_end or ended_by in ("restored", "config") or said):
                self.find("I12", f"lockout {key} until {expires_at} was ended by {ended_by} at {at}")
        self.lockouts = {key: value for key, value in self.lockouts.items() if key[0] != account.id} | now

    def _floor_holds(self, account: Account) -> None:
        """The floor never falls without a reset, while the opening balance that it stands on is settled (I14)."""
        floor = recall(account, FLOOR)
        if floor is None or not recall(account, BASE_SETTLED):
            return
        before, resets = self.floors.get(account.id, (floor, self.resets))
        if floor < before and resets == self.resets:
            self.find("I14", f"the floor of account {account.id} fell from {before} to {floor}")
        self.floors[account.id] = floor, self.resets

    def _is_pursued(self, book: Book, account: Account, obligation: Obligation) -> None:
        """An unmet obligation has a request on its way, or a time at which one follows (I7)."""
        if not book.enforces:
            return
        for target in unmet(book, account, obligation):
            kinds = _on_the_way(target)
            on_its_way = any(
                request.target in kinds or request.kind == "takeSnapshot" for request in account.requests.values()
            )
            # A reduction waits for the list it is counted from: what is tried again is the question.
            asked = ("takeSnapshot/account",) if target.startswith("partialCloseContract") else ()
            attempts = [one for name, one in obligation.attempts.items() if name in (*kinds, *asked)]
            scheduled = any(one.retry_at > book.now for one in attempts)
            waits = not target.startswith("closeContract") and not reconciled(book, account)
            kind, _, about = target.partition("/")
            waits = waits or (kind in CLOSING and _exit_works(account, about))
            if not (on_its_way or scheduled or waits):
                self.find("I7", f"{obligation.id} is unmet, and nothing is done about {target}")

    # ---- what the broker saw ---------------------------------------------------------------------------

    def broker_side(self) -> None:
        """Orders, fills and calls at the broker, from where the last look ended (I11, nothing twice)."""
        tags = Counter(
            call.request.get("customTag")
            for call in self.broker.received
            if call.path == "Order/place" and call.performed
        )
        for tag, count in tags.items():
            # Sent again it may be, when a list does not show it: the broker takes a tag only once (API.md 0.7).
            if count > 1:
                self.find("I5", f"{count} orders with tag {tag} were placed")
        for fill in self.broker.fills[self._broker_seen :]:
            if self._is_ours(fill) and fill.profit_usd is None and not self._was_forestalled(fill):
                self.find("I11", f"our order {fill.order.id} opened {fill.side * fill.size} {fill.instrument.id}")
        self._broker_seen = len(self.broker.fills)

    def _is_ours(self, fill: Fill) -> bool:
        return fill.order.closes or fill.order.tag in self.enforcement_tags

    def _was_forestalled(self, fill: Fill) -> bool:
        """Whether others closed the position while our order was at the exchange, and shortly before it filled."""
        # A pending order cannot be taken back, a stop could be cut in time.
        since = fill.order.created_at
        if not fill.order.closes:
            since = max(since, fill.at - FORESTALLED_STOP_NS)
        others = [
            other
            for other in self.broker.fills
            if other.account is fill.account and other.instrument is fill.instrument and since <= other.at <= fill.at
        ]
        # Two closes of ours must never add up. A stop may trigger while a close of ours is on its way: stops go last,
        # for without them the position is naked if the close fails (RULES.md 3.4).
        counted = [other for other in others if other.order is not fill.order and other.side == fill.side]
        return sum(other.size for other in counted if not (fill.order.closes and other.order.closes)) >= fill.size


def _key_of(path: str, body: bytes) -> Key:
    asked = decode(body).value
    return path, asked["accountId"], asked.get(MUTATING[path][0])


def unmet(book: Book, account: Account, obligation: Obligation) -> list[str]:
    """The targets of requests that an obligation still needs, in words of this page and not of the planner."""
    if obligation.kind in ("CloseAllPositions", "ClosePosition"):
        held = [one for one in account.held() if obligation.contract in (None, one.contract)]
        entries = entry_orders(account, book.now, obligation.contract) if held else []
        orders = [one for one in entries if _is_cancellable(account, one, book.now)]
        return [f"closeContract/{one.contract}" for one in held] + [f"cancelOrder/{one.id}" for one in orders]
    if obligation.kind == "ReducePosition":
        position = account.positions.get(obligation.contract or "")
        over = position is not None and abs(position.size) > obligation.to
        # A close in force sees to it, and is asked for itself.
        over = over and not any(
            other.kind in ("CloseAllPositions", "ClosePosition") and other.contract in (None, obligation.contract)
            for other in account.obligations.values()
        )
        return [f"partialCloseContract/{obligation.contract}"] if over else []
    if obligation.kind in ("CancelOrders", "CancelOrder"):
        named = [account.orders.get(order_id) for order_id in obligation.order_ids]
        orders = [order for order in named if order is not None and _is_cancellable(account, order, book.now)]
        return [f"cancelOrder/{order.id}" for order in orders]
    if obligation.kind == "ConfirmFlat":
        due = next_flat_check(obligation)
        return ["takeSnapshot/account"] if due is not None and book.now >= due else []
    return []


def _is_done(account: Account, order: Order) -> bool:
    filled = sum(trade.size for trade in account.trades.values() if trade.order_id == order.id and not trade.voided)
    return not order.working or (order.size > 0 and filled >= order.size)


def _is_cancellable(account: Account, order: Order, now: int) -> bool:
    """A market order that is pending fills, another one may take a second to open (RULES.md 1.6, Pace)."""
    waits = order.status == STATUS_PENDING and (order.type == TYPE_MARKET or now - order.recorded_at < SECOND_NS)
    return not waits and order.status != STATUS_PENDING_CANCELLATION and not _is_done(account, order)


def _exit_works(account: Account, contract: str) -> bool:
    """Whether the order of an earlier close may still fill: it is waited for."""
    return any(
        order.exit_of is not None and order.contract == contract and not _is_done(account, order)
        for order in account.orders.values()
    )


def _on_the_way(target: str) -> tuple[str, ...]:
    kind, _, about = target.partition("/")
    closes = ("closeContract", "partialCloseContract")
    return tuple(f"{one}/{about}" for one in closes) if kind in closes else (target,)


_HANDLERS = {
    "EngineStarted": Judge._started,
    "ConnectionChanged": Judge._connection,
    "PositionsListed": Judge._listed,
    "OrdersListed": Judge._listed,
    "TradesListed": Judge._listed,
    "RuleBreached": Judge._breached,
    "CommandIssued": Judge._issued,
    "ObligationMet": Judge._met,
    "RequestPlanned": Judge._planned,
    "RequestAttempted": Judge._attempted,
    "RequestAccepted": Judge._accepted,
    "RequestRefused": Judge._refused,
    "RequestUnresolved": Judge._unresolved,
    "RequestConfirmed": Judge._over,
    "RequestSuperseded": Judge._over,
    "OrderObserved": Judge._order,
    "TradeRecorded": Judge._filled,
    "DriftDetected": Judge._drift,
    "LockoutEnded": Judge._lockout_ended,
    "OperatorOverride": Judge._override,
    "ProgrammeReset": Judge._programme_reset,
}
