"""The control channel of `riskcore live`: the engine as a desk, with what the broker and the screen know."""

from adapters.topstepx.gateway import TopstepGateway
from riskcore.audit.status import blind_rows, book_row, seconds_since, view_of
from riskcore.core.products import product_code, root_of_code
from riskcore.core.state import Request
from riskcore.engine.control import Control
from riskcore.engine.control_file import control_path
from riskcore.engine.engine import Engine
from riskcore.engine.health import HubSign, Signs, explain
from riskcore.schema.rows import Row

HEALTH_SCHEMA = "riskcore.health/1"


def control_of(engine: Engine, gateway: TopstepGateway, store: str, profile: str) -> Control:
    """The channel of a running engine; enter it while the engine runs."""
    return Control(engine, LiveMarket(engine, gateway), control_path(store, profile))


class LiveMarket:
    """See riskcore.engine.desk.Market."""

    def __init__(self, engine: Engine, gateway: TopstepGateway) -> None:
        self._engine = engine
        self._gateway = gateway

    async def active_contract(self, root: str) -> str | None:
        """The search is fuzzy, so only the very product counts, and only the month that takes orders (API.md 2.1)."""
        for row in await self._gateway.search_contracts(root) or ():
            contract = row.get("id") if isinstance(row, dict) and row.get("activeContract") is True else None
            if isinstance(contract, str) and root_of_code(product_code(contract)) == root:
                return contract
        return None

    def health(self) -> Row:
        found = explain(self._signs())
        parts = [{"name": one.name, "points_lost": one.points_lost, "sentence": one.sentence} for one in found.parts]
        return {"schema": HEALTH_SCHEMA, "score": found.score, "parts": parts}

    def picture(self) -> Row:
        engine = self._engine
        return book_row(engine.book, engine.rulebook, engine.judged(), engine.clock.now())

    def _signs(self) -> Signs:
        engine, now = self._engine, self._engine.clock.now()
        book, judged = engine.book, engine.judged()
        longest_ago = min((account.reconciled_at for account in judged), default=0)
        requests = [one for account in judged for one in account.requests.values()]
        return Signs(
            armed=engine.ready,
            hubs=tuple(
                HubSign(name, state, seconds_since(book.connection_since.get(name, now), now))
                for name, state in sorted(book.connections.items())
            ),
            snapshot_age_seconds=seconds_since(longest_ago, now) if longest_ago else None,
            halted=engine.writer.broken,
            unresolved_requests=sum(_is_unresolved(one) for one in requests),
            blind_rules=tuple(
                str(row["rule"])
                for account in judged
                for row in blind_rows(book, engine.rulebook, account, view_of(book, engine.rulebook, account))
            ),
        )


def _is_unresolved(request: Request) -> bool:
    return request.state == "unresolved"
