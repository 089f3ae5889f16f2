"""What the broker and the screen know, for whoever asks a running engine."""

from collections.abc import Callable
from typing import Any

from adapters.topstepx.feed import TopstepFeed
from adapters.topstepx.gateway import Condition, TopstepGateway
from adapters.topstepx.signalr.supervisor import HubHealth
from riskcore.audit.blindness import blind_rows, unseeded_rules
from riskcore.audit.health import HEALTH_SCHEMA, HubSign, QuotaSign, Signs, explain
from riskcore.audit.limits import gauges
from riskcore.audit.status import book_row, seconds_since, view_of
from riskcore.core.products import product_code, root_of_code
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import Request
from riskcore.engine.engine import Engine
from riskcore.schema.rows import Row

MILLISECOND_NS = 1_000_000


class LiveMarket:
    """See riskcore.engine.desk.Market."""

    def __init__(
        self, engine: Engine, gateway: TopstepGateway, feed: TopstepFeed, channels: Callable[[], list[Row]] = list
    ) -> None:
        """`channels` are those of alerts (riskcore.engine.ports.HasChannels)."""
        self._engine = engine
        self._gateway = gateway
        self._feed = feed
        self._channels = channels

    async def active_contract(self, root: str) -> str | None:
        """The search is fuzzy, so only the very product counts, and only the month that takes orders (API.md 2.1)."""
        for row in await self._gateway.search_contracts(root) or ():
            contract = row.get("id") if isinstance(row, dict) and row.get("activeContract") is True else None
            if isinstance(contract, str) and root_of_code(product_code(contract)) == root:
                return contract
        return None

    def health(self) -> Row:
        signs = self._signs()
        found = explain(signs)
        parts = [
            {
                "name": one.name,
                "points_lost": one.points_lost,
                "figure": one.figure,
                "from": one.from_figure,
                "sentence": one.sentence,
            }
            for one in found.parts
        ]
        return {
            "schema": HEALTH_SCHEMA,
            "score": found.score,
            "parts": parts,
            "binding": self._binding(),
            "measured": self._measured(signs),
        }

    def _binding(self) -> list[Row]:
        """The limit that binds each account, as in the rows of status."""
        book, rulebook = self._engine.book, self._engine.rulebook
        found = [gauges(book, rulebook, one, view_of(book, rulebook, one)) for one in self._engine.judged()]
        return [known[0].row() for known in found if known]

    def picture(self) -> Row:
        engine = self._engine
        return book_row(engine.book, engine.rulebook, engine.judged(), engine.clock.now())

    def _signs(self) -> Signs:
        engine, now = self._engine, self._engine.clock.now()
        book, judged = engine.book, engine.judged()
        longest_ago = min((account.reconciled_at for account in judged), default=0)
        requests = [one for account in judged for one in account.requests.values()]
        way, commit = self._gateway.condition(), engine.vitals.commit_ns
        return Signs(
            armed=engine.ready,
            hubs=tuple(self._hub(one, now) for one in self._feed.health() if one.hub in book.connections),
            snapshot_age_seconds=seconds_since(longest_ago, now) if longest_ago else None,
            rest_failures=way.failures,
            rest_latency_ms=None if way.answer_ns is None else way.answer_ns // MILLISECOND_NS,
            breaker=way.breaker,
            token_left_seconds=None if way.token_left_ns is None else way.token_left_ns // SECOND_NS,
            quotas=tuple(QuotaSign(one.name, one.used, one.limit, one.seconds, one.used_percent) for one in way.quotas),
            commit_latency_ms=None if commit is None else commit[0] // MILLISECOND_NS,
            halted=engine.writer.broken,
            pinched=engine.writer.pinched,
            unresolved_requests=sum(_is_unresolved(one) for one in requests),
            drifts_last_hour=engine.vitals.drifts(now),
            blind_rules=tuple(
                str(row["rule"])
                for account in judged
                for row in blind_rows(book, engine.rulebook, account, view_of(book, engine.rulebook, account))
            ),
            unseeded_rules=tuple(rule for account in judged for rule in unseeded_rules(book, engine.rulebook, account)),
            dead_channels=tuple(str(one["channel"]) for one in self._channels() if one["dead"]),
        )

    def _hub(self, hub: HubHealth, now: int) -> HubSign:
        """The state the rules see, which the journal has, and why the supervisor says it came to that."""
        book = self._engine.book
        state, since = book.connections[hub.hub], book.connection_since.get(hub.hub, now)
        return HubSign(hub.hub, state, seconds_since(since, now), self._engine.vitals.losses(hub.hub, now), hub.reason)

    def _measured(self, signs: Signs) -> Row:
        """Everything the score is made of, also what costs no points."""
        way, commit = self._gateway.condition(), self._engine.vitals.commit_ns
        account_messages, market_data = self._engine.inbox.waiting
        reconnects = {one.hub: one.reconnects for one in self._feed.health()}
        return {
            "armed": signs.armed,
            "hubs": [_hub_row(one, reconnects.get(one.name, 0)) for one in signs.hubs],
            "seen_by": self._engine.sight.snapshots.mode,
            "snapshot_age_seconds": signs.snapshot_age_seconds,
            "calls": {
                "failures_in_a_row": way.failures,
                "answer_ms": _milliseconds(way.answer_ns),
                "breaker": way.breaker,
            },
            "quotas": _quota_rows(way),
            "token": {"age_seconds": _seconds(way.token_age_ns), "expires_in_seconds": _seconds(way.token_left_ns)},
            "commit": {
                "median_ms": _milliseconds(commit[0]) if commit else None,
                "slowest_ms": _milliseconds(commit[1]) if commit else None,
            },
            "halted": signs.halted,
            "on_reserve": signs.pinched,
            "unresolved_requests": signs.unresolved_requests,
            "drifts_last_hour": signs.drifts_last_hour,
            "blind_rules": list(signs.blind_rules),
            "unseeded_rules": list(signs.unseeded_rules),
            "waiting": {"account": account_messages, "market": market_data},
            "stages": [*self._engine.times.rows(), way.answers.row("answer")],
            "alerts": self._channels(),
        }


def _hub_row(hub: HubSign, reconnects: int) -> Row:
    return {
        "hub": hub.name,
        "state": hub.state,
        "seconds": hub.seconds,
        "losses_last_hour": hub.losses_last_hour,
        "reconnects": reconnects,
        "last_reason": hub.reason or None,
    }


def _quota_rows(way: Condition) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "used": one.used,
            "left": one.left,
            "limit": one.limit,
            "window_seconds": one.seconds,
            "paused_seconds": one.paused_seconds,
        }
        for one in way.quotas
    ]


def _milliseconds(nanoseconds: int | None) -> str | None:
    """Exact to the tenth, as decimal text."""
    return None if nanoseconds is None else f"{nanoseconds // MILLISECOND_NS}.{nanoseconds // 100_000 % 10}"


def _seconds(nanoseconds: int | None) -> int | None:
    return None if nanoseconds is None else nanoseconds // SECOND_NS


def _is_unresolved(request: Request) -> bool:
    return request.state == "unresolved"
