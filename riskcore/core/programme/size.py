"""PROG-SIZE: the firm's caps on contracts of a restricted product and of the account (PROGRAMME.md 5)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from riskcore.core.events import Command
from riskcore.core.products import micro_units
from riskcore.core.programme.balances import why_unknown
from riskcore.core.programme.scaling import SIZE_NAME, lots_of, product_caps, remember_lots, size_cap_units
from riskcore.core.programme.terms import Terms
from riskcore.core.rules import wording
from riskcore.core.rules.base import COUNT, Action, Breach, Finding, Proposal, Reading, Rearm, Rule
from riskcore.core.rules.exposure import Exposure, count_with, still_to_cut
from riskcore.core.state import Account, Book, Position
from riskcore.core.view import View

TOTAL = "total"


def _contracts(contract: str) -> int:
    return 1


def _of_root(view: View, root: str, positions: Sequence[Position]) -> list[Position]:
    return [position for position in positions if view.root(position.contract) == root]


def _units(view: View, positions: Sequence[Position]) -> Exposure:
    return Exposure(positions, (), lambda contract: micro_units(view.root(contract)))


def evaluate(terms: Terms, view: View) -> Sequence[Finding]:
    lots, held = lots_of(terms, view.account), view.held()
    caps = product_caps(terms, lots)
    found: list[Finding] = []
    left = {position.contract: position for position in held}
    for root in dict.fromkeys([*(view.root(position.contract) for position in held), *_open_roots(view)]):
        exposure = Exposure(_of_root(view, root, held), (), _contracts)
        cap = caps.get(root)
        if cap is None or exposure.held() <= cap:
            found += [Rearm(root)] if view.episode_open(root) else []
            continue
        cuts = exposure.cuts(cap)
        for command in cuts:
            left[str(command.contract)] = _cut(left[str(command.contract)], command)
        found += _over(view, root, exposure, exposure.held(), cap, "restricted", cuts)
    limit = size_cap_units(terms, lots)
    total = _units(view, list(left.values()))
    if limit is None or total.held() <= limit:
        return [*found, Rearm(TOTAL)] if view.episode_open(TOTAL) else found
    by_contract = {position.contract: abs(position.size) for position in held}
    cuts = tuple(_from(by_contract, command) for command in total.cuts(limit))
    kind = "scaling" if terms.scaling else TOTAL
    return [*found, *_over(view, TOTAL, Exposure(held, (), _contracts), total.held(), limit, kind, cuts)]


def _open_roots(view: View) -> list[str]:
    return [target for target in view.open_targets() if target != TOTAL]


def _cut(position: Position, command: Command) -> Position:
    """The position as a cut leaves it; without a size to cut to it is closed."""
    side = 1 if position.size > 0 else -1
    return replace(position, pushed=side * (command.to or 0), memory={})


def _from(sizes: dict[str, int], command: Command) -> Command:
    """A cut of what other cuts leave, as a cut of what there is now: one command to the lower size."""
    if command.to is None:
        return command
    return replace(command, size=sizes[str(command.contract)] - command.to)


def _over(
    view: View, target: str, exposure: Exposure, count: int, limit: int, cap: str, cuts: tuple[Command, ...]
) -> list[Finding]:
    """A count that is over its cap: a breach, then what an open episode still asks for."""
    if view.episode_open(target):
        cuts = still_to_cut(view, exposure, cuts)
        return [Action("", cuts)] if cuts else []
    return [Breach(target, {"count": str(count), "limit": str(limit), "cap": cap}, cuts)]


def admit(terms: Terms, view: View, proposal: Proposal) -> str | None:
    lots, held = lots_of(terms, view.account), view.held()
    root = view.root(proposal.order.contract)
    cap, limit = product_caps(terms, lots).get(root), size_cap_units(terms, lots)
    if cap is not None:
        of_root = replace(proposal, beside=tuple(one for one in proposal.beside if view.root(one.contract) == root))
        count = count_with(Exposure(_of_root(view, root, held), (), _contracts), of_root, view, all_orders=False)
        if count > cap:
            return f"it would make {count} contracts of {root}, and the firm allows {cap}"
    if limit is not None:
        count = count_with(_units(view, held), proposal, view, all_orders=False)
        if count > limit:
            return f"it would make {count} micro-units, and the firm allows {limit}"
    return None


def blind(terms: Terms, book: Book, account: Account) -> str | None:
    """Lots that follow from a balance are not known without one; a ceiling of a root counts all the same."""
    return why_unknown(account) if terms.scaling else None


def gauges(terms: Terms, view: View) -> Iterator[Reading]:
    lots, held = lots_of(terms, view.account), view.held()
    limit = size_cap_units(terms, lots)
    if limit is not None:
        yield Reading("micro units", COUNT, _units(view, held).held(), limit, unit="micro units", allows_equal=True)
    caps = product_caps(terms, lots)
    for root in dict.fromkeys(view.root(position.contract) for position in held):
        if root in caps:
            count = Exposure(_of_root(view, root, held), (), _contracts).held()
            yield Reading(
                f"{root} contracts", COUNT, count, caps[root], contract=root, unit="contracts", allows_equal=True
            )


RULE = Rule(
    "PROGRAMME-SIZE",
    SIZE_NAME,
    "The firm's caps on contracts",
    40,
    Terms,
    evaluate,
    remember=remember_lots,
    needs=lambda terms: ("positions",),
    blind=blind,
    admit=admit,
    gauges=gauges,
    cuts=True,
    advice=wording.SIZE,
)
