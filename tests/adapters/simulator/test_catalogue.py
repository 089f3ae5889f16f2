"""The catalogue of the simulated broker is the one that was seen (API.md 6)."""

from datetime import date

import pytest

from adapters.simulator.catalogue import OFFERED, active_expiry, contract_id_of, contract_of
from adapters.simulator.records import Instrument
from riskcore.core.products import PRODUCTS, built_in_contract

# What `Contract/available` listed on 2026-08-19, apart from the 26 quarterly contracts, all of them U26.
SEEN = {
    "V26": ("CL", "MCL", "QM", "RB", "HO", "PL", "HE", "LE"),
    "Z26": ("GC", "MGC", "ZC", "ZW", "ZM", "ZL"),
    "X26": ("ZS",),
    "Q26": ("MBT", "MET"),
}


def test_the_active_months_are_those_of_the_day_the_list_was_recorded() -> None:
    expiries = {root: expiry for expiry, roots in SEEN.items() for root in roots}
    for root, product in OFFERED.items():
        assert active_expiry(product, date(2026, 8, 19)) == expiries.get(root, "U26"), root


def test_all_products_are_offered_and_described_by_the_built_in_table() -> None:
    assert len(OFFERED) == len(PRODUCTS) == 51
    for root, product in OFFERED.items():
        instrument = Instrument(root, active_expiry(product, date(2026, 11, 21)), product.reference_price)
        known = built_in_contract(instrument.id)
        assert known is not None
        assert (known.root, known.tick_size, known.tick_value) == (root, instrument.tick_size, instrument.tick_value)
        assert product.reference_price % instrument.tick_size == 0
        assert min(product.fees_usd, product.commissions_usd) > 0


def test_months_roll_forward_and_never_back() -> None:
    for product in OFFERED.values():
        days = [
            date.fromordinal(ordinal) for ordinal in range(date(2026, 1, 1).toordinal(), date(2028, 1, 1).toordinal())
        ]
        expiries = list(dict.fromkeys(active_expiry(product, day) for day in days))
        assert len(expiries) in range(2 * len(product.months), 2 * len(product.months) + 3)
        assert expiries == sorted(expiries, key=lambda expiry: (expiry[1:], expiry[0]))


@pytest.mark.parametrize(
    "text", ["", "MNQ", "CON.F.US.MNQ.Y26", "CON.F.US.MNQ.Z2026", "CON.F.US.NQ.Z26", "X.F.US.MNQ.Z26"]
)
def test_what_is_no_contract_is_not_found(text: str) -> None:
    assert contract_of(text) is None


def test_a_contract_is_found_by_its_id() -> None:
    found = contract_of("CON.F.US.ENQ.H25")
    assert found is not None
    assert contract_id_of(*found) == "CON.F.US.ENQ.H25"
