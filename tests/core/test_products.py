"""The built-in product table and broker codes (RULES.md 1.2, 1.3; API.md 6)."""

import pytest

from riskcore.core import products
from riskcore.core.quantities import move_value, price


def test_the_table_has_51_products_each_once() -> None:
    codes = [code for code, *_ in products.PRODUCTS]
    assert len(codes) == len(set(codes)) == len(set(products.known_roots())) == 51


@pytest.mark.parametrize(
    ("contract", "root"),
    [
        ("CON.F.US.EP.Z26", "ES"),
        ("CON.F.US.ENQ.Z26", "NQ"),
        ("CON.F.US.CLE.F27", "CL"),
        ("CON.F.US.MCLE.F27", "MCL"),
        ("CON.F.US.GCE.Z26", "GC"),
        ("CON.F.US.TYA.Z26", "ZN"),
        ("CON.F.US.EU6.Z26", "6E"),
        ("CON.F.US.MES.Z26", "MES"),  # ES never matches MES.
        ("CON.F.US.XYZ.Z26", "XYZ"),  # An unknown code is its own root.
        ("XYZ", "XYZ"),
        ("ENQ.Z26", "NQ"),
        ("F.US.ENQ", "NQ"),
        ("F.US.MES", "MES"),
        ("CON.F.US.EP", "ES"),
        ("F.US.XYZ", "XYZ"),
    ],
)
def test_roots(contract: str, root: str) -> None:
    assert products.root_of_code(products.product_code(contract)) == root


@pytest.mark.parametrize(
    ("code", "points", "dollars"),
    [("MNQ", "300", 600), ("EP", "8", 400), ("MES", "1", 5), ("CLE", "0.01", 10), ("RTY", "1", 50), ("YM", "1", 5)],
)
def test_what_a_move_of_one_contract_is_worth(code: str, points: str, dollars: int) -> None:
    contract = products.built_in_contract(f"CON.F.US.{code}.Z26")
    assert contract is not None
    assert not contract.described
    assert move_value(price(points), contract.tick_size, contract.tick_value) == dollars * 10**6


def test_an_unknown_product_has_no_built_in_contract() -> None:
    assert products.built_in_contract("CON.F.US.XYZ.Z26") is None


@pytest.mark.parametrize(("root", "units"), [("ES", 10), ("MES", 1), ("SIL", 2), ("MBT", 10), ("MET", 10), ("XYZ", 10)])
def test_micro_units(root: str, units: int) -> None:
    assert products.micro_units(root) == units


def test_micros_are_known_products() -> None:
    assert products.micro_of("RTY") == "M2K"
    assert products.micro_of("MES") is None
    known = products.known_roots()
    assert all(root in known and products.micro_of(root) in known for root in known if products.micro_of(root))
