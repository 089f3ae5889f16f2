"""Quotes of a closed day thinned for an archive: fewer marks, the same decisions, tried out before anything is written.

Only quotes that changed nothing but a mark are thinned; one that a rule acted on is stored alone and stays. Of the rest
stay, by contract and slot of time, where each price was lowest, highest and last, and the last quote of all. Seqs stay
what they were, and each line keeps the hash that it had in the journal. So what was not thinned is still proved by the
chain up to the last hash, and messages hang where they hung; the quotes that stay are proved by the hash of the file,
which the journal notes when the day leaves.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from replay.comparison import Comparison
from replay.left_out import cannot_be_judged
from riskcore.core.events import DayRolled, Event, QuotesObserved, TradingDayOpened
from riskcore.core.quotes import Row
from riskcore.core.runner import Runner
from riskcore.errors import RiskcoreError
from riskcore.schema.chain import HASH_LENGTH, QUOTES, Link
from riskcore.schema.codec import decode_event, encode_event, state_hash
from riskcore.settings.calendar import day_for

# Less than the shortest sensible age at which a quote is stale: the quotes that stay are never two slots apart.
SLOT_NS = 4_000_000_000


@dataclass(frozen=True, slots=True)
class Trial:
    """What thinning would do to a day: how many quotes are left out, and why the day cannot be thinned."""

    left_out: int
    refused: str | None


def kept_rows(rows: Sequence[Row]) -> list[Row]:
    """Those of consecutive quotes that stay, in order; the last is among them."""
    found: dict[tuple[str, int, int], list[int]] = {}  # By contract, slot and side: lowest, highest and last.
    last_of_all: dict[tuple[str, int], int] = {}
    for place, (at, contract, *prices) in enumerate(rows):
        slot = at // SLOT_NS
        last_of_all[contract, slot] = place
        for side, price in enumerate(prices, 2):
            if price is None:
                continue
            known = found.setdefault((contract, slot, side), [place, place, place])
            lowest, highest = rows[known[0]][side], rows[known[1]][side]
            assert isinstance(lowest, int)
            assert isinstance(highest, int)
            known[:] = [place if price < lowest else known[0], place if price > highest else known[1], place]
    kept = {*last_of_all.values(), *(place for known in found.values() for place in known)}
    return [rows[place] for place in sorted(kept)]


def thinned(event: Event) -> Event:
    """The event with the quotes that stay."""
    if not isinstance(event.body, QuotesObserved):
        return event
    return replace(event, body=QuotesObserved(tuple(kept_rows(event.body.quotes))))


def thinned_links(page: Iterable[Link]) -> Iterator[Link]:
    """Stored rows with the quotes that stay, under the hashes they had."""
    for stream, seq, topic, state in page:
        if topic.startswith(QUOTES):
            said, event = decode_event(topic, state[HASH_LENGTH:])
            topic, canonical = encode_event(said, thinned(event))
            state = state[:HASH_LENGTH] + canonical
        yield stream, seq, topic, state


def try_out(events: Iterable[Event]) -> Trial:
    """Judge a whole day twice, with all of its quotes and with those that stay."""
    return _TwoRuns().run(events)


class _TwoRuns:
    def __init__(self) -> None:
        self._comparison = Comparison()
        self._comparison.begin(True)
        self._runners: list[Runner] = []
        self._left_out = 0

    def run(self, events: Iterable[Event]) -> Trial:
        for event in events:
            try:
                self._take(event)
            except RiskcoreError as error:
                return Trial(0, str(error))
            except Exception as error:
                return Trial(0, cannot_be_judged(event, error))
        hashes = {state_hash(runner.finish()) for runner in self._runners}
        outcome = self._comparison.outcome()
        assert outcome is not None, "begun as a comparison"
        if outcome["differences"]:
            first = outcome["differences"][0]
            return Trial(0, f"it would be decided otherwise: {first['type']} {first['key']} at {first['at']}")
        if len(hashes) > 1:
            return Trial(0, "it would hand on something else to the next day")
        return Trial(self._left_out, None)

    def _take(self, event: Event) -> None:
        if isinstance(event.body, TradingDayOpened):
            for listener in (self._record, self._comparison.recompute):
                opened = event.body
                self._runners.append(Runner(opened.settings, (listener,), day_for, version=opened.version))
        whole, thin = self._runners
        if isinstance(event.body, DayRolled):
            whole.end_day(event.body.next_date)
            thin.end_day(event.body.next_date)
        elif not event.derived:
            fewer = thinned(event)
            whole.event(event)
            thin.event(fewer)
            if isinstance(event.body, QuotesObserved) and isinstance(fewer.body, QuotesObserved):
                self._left_out += len(event.body.quotes) - len(fewer.body.quotes)

    def _record(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.derived:
                self._comparison.record(event)
