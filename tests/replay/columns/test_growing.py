"""The columns of a day while it is read: both forms of quotes give the same; extremes are the first of their price."""

from random import Random

import pytest

from replay.columns.columns import ColumnQuotes
from replay.columns.extremes import UNSAID
from replay.columns.growing import GrowingColumns
from riskcore.core.quotes import Quotes


def walk(seed: int, count: int) -> Quotes:
    random = Random(seed)
    names = random.choice((["MNQ"], ["MNQ", "ES"]))
    unsaid = random.choice((0.0, 0.4))
    price, found = 0, Quotes([], [], [], [], [])
    for at in range(count):
        price += random.choice((-1, 0, 1))
        found.ats.append(at)
        found.contracts.append(random.choice(names))
        for column, offset in ((found.lasts, 0), (found.bids, -1), (found.asks, 1)):
            column.append(None if random.random() < unsaid else price + offset)
    return found


@pytest.mark.parametrize("seed", range(8))
def test_quotes_come_back_whichever_form_they_came_in(seed: int) -> None:
    quotes, lists, columns = walk(seed, 40), GrowingColumns(), GrowingColumns()
    lists.add_quotes(quotes)
    lists.add_row(40)
    again = ColumnQuotes(lists.columns, 0, 40)
    assert again == quotes
    columns.add_quotes(again.part(0, 15))
    columns.add_quotes(again.part(15, 40))
    columns.add_row(40, "CL", 7)
    assert ColumnQuotes(columns.columns, 0, 40) == quotes
    assert [list(columns.places(name)) for name in ("MNQ", "CL", "NQ")] == [
        [place for place, name in enumerate(quotes.contracts) if name == "MNQ"],
        [40],
        [],
    ]
    assert (columns.lasts[40], columns.bids[40]) == (7, UNSAID)


@pytest.mark.parametrize("seed", range(12))
def test_extremes_are_the_first_of_their_price(seed: int) -> None:
    quotes, growing, random = walk(seed, 2_000), GrowingColumns(), Random(seed)
    growing.add_quotes(quotes)
    track = growing.columns.track("MNQ")
    assert track is not None
    for _ in range(30):
        start, end = sorted((random.randrange(2_001), random.randrange(2_001)))
        said = [
            (price, place)
            for place, (name, price) in enumerate(zip(quotes.contracts, quotes.lasts, strict=True))
            if start <= place < end and name == "MNQ" and price is not None
        ]
        wanted = {min(said), max(said, key=lambda one: (one[0], -one[1]))} if said else set()
        assert track.extremes(start, end) == sorted((place, price) for price, place in wanted)
