"""The built-in product table: offline fallback for contracts no broker record has described.

Source: topstepx/API.md section 6 (51 products) and RULES.md 1.2 (micro-units), 1.3 (broker codes).
"""

from riskcore.core.quantities import money_text, price_text
from riskcore.core.state import Contract

# Broker code, exchange root, tick size in 1e-9 points, tick value in 1e-6 dollars, micro-units of one contract.
PRODUCTS: tuple[tuple[str, str, int, int, int], ...] = (
    ("EP", "ES", 250_000_000, 12_500_000, 10),  # E-Mini S&P 500, CME
    ("MES", "MES", 250_000_000, 1_250_000, 1),  # Micro E-mini S&P 500, CME
    ("ENQ", "NQ", 250_000_000, 5_000_000, 10),  # E-mini NASDAQ-100, CME
    ("MNQ", "MNQ", 250_000_000, 500_000, 1),  # Micro E-mini Nasdaq-100, CME
    ("YM", "YM", 1_000_000_000, 5_000_000, 10),  # E-mini Dow ($5), CBOT
    ("MYM", "MYM", 1_000_000_000, 500_000, 1),  # Micro E-mini Dow $0.50, CBOT
    ("RTY", "RTY", 100_000_000, 5_000_000, 10),  # E-mini Russell 2000, CME
    ("M2K", "M2K", 100_000_000, 500_000, 1),  # Micro E-mini Russell 2000, CME
    ("NKD", "NKD", 5_000_000_000, 25_000_000, 10),  # Nikkei 225, CME
    ("CLE", "CL", 10_000_000, 10_000_000, 10),  # Crude Light, NYMEX
    ("MCLE", "MCL", 10_000_000, 1_000_000, 1),  # Micro WTI Crude Oil, NYMEX
    ("NQM", "QM", 25_000_000, 12_500_000, 10),  # E-Mini Crude Oil, NYMEX
    ("NGE", "NG", 1_000_000, 10_000_000, 10),  # Natural Gas, NYMEX
    ("MNG", "MNG", 1_000_000, 1_000_000, 1),  # Micro Henry Hub Natural Gas, NYMEX
    ("NQG", "QG", 5_000_000, 12_500_000, 10),  # E-Mini Natural Gas, NYMEX
    ("RBE", "RB", 100_000, 4_200_000, 10),  # RBOB Gasoline, NYMEX
    ("HOE", "HO", 100_000, 4_200_000, 10),  # NY Harbor ULSD, NYMEX
    ("GCE", "GC", 100_000_000, 10_000_000, 10),  # Gold, COMEX
    ("MGC", "MGC", 100_000_000, 1_000_000, 1),  # Micro Gold, COMEX
    ("SIE", "SI", 5_000_000, 25_000_000, 10),  # Silver, COMEX
    ("SIL", "SIL", 5_000_000, 5_000_000, 2),  # Micro Silver, COMEX
    ("CPE", "HG", 500_000, 12_500_000, 10),  # Copper, COMEX
    ("MHG", "MHG", 500_000, 1_250_000, 1),  # Micro Copper, COMEX
    ("PLE", "PL", 100_000_000, 5_000_000, 10),  # Platinum, NYMEX
    ("EU6", "6E", 50_000, 6_250_000, 10),  # Euro FX, CME
    ("EEU", "E7", 100_000, 6_250_000, 10),  # E-mini Euro FX, CME
    ("M6E", "M6E", 100_000, 1_250_000, 1),  # E-Micro EUR/USD, CME
    ("JY6", "6J", 500, 6_250_000, 10),  # Japanese Yen, CME
    ("BP6", "6B", 100_000, 6_250_000, 10),  # British Pound, CME
    ("M6B", "M6B", 100_000, 625_000, 1),  # E-Micro GBP/USD, CME
    ("DA6", "6A", 50_000, 5_000_000, 10),  # Australian Dollar, CME
    ("M6A", "M6A", 100_000, 1_000_000, 1),  # E-Micro AUD/USD, CME
    ("CA6", "6C", 50_000, 5_000_000, 10),  # Canadian Dollar, CME
    ("SF6", "6S", 50_000, 6_250_000, 10),  # Swiss Franc, CME
    ("NE6", "6N", 50_000, 5_000_000, 10),  # New Zealand Dollar, CME
    ("MX6", "6M", 10_000, 5_000_000, 10),  # Mexican Peso, CME
    ("TUA", "ZT", 3_906_250, 7_812_500, 10),  # 2 Year US Treasury Note, CBOT
    ("FVA", "ZF", 7_812_500, 7_812_500, 10),  # 5 Year US Treasury Notes, CBOT
    ("TYA", "ZN", 15_625_000, 15_625_000, 10),  # 10yr US Treasury Notes, CBOT
    ("TNA", "TN", 15_625_000, 15_625_000, 10),  # Ultra 10yr Treasury Note, CBOT
    ("USA", "ZB", 31_250_000, 31_250_000, 10),  # 30yr US Treasury Bonds, CBOT
    ("ULA", "UB", 31_250_000, 31_250_000, 10),  # Ultra T-Bond, CBOT
    ("ZCE", "ZC", 250_000_000, 12_500_000, 10),  # Corn, CBOT
    ("ZWA", "ZW", 250_000_000, 12_500_000, 10),  # Wheat, CBOT
    ("ZSE", "ZS", 250_000_000, 12_500_000, 10),  # Soybeans, CBOT
    ("ZME", "ZM", 100_000_000, 10_000_000, 10),  # Soybean Meal, CBOT
    ("ZLE", "ZL", 10_000_000, 6_000_000, 10),  # Soybean Oil, CBOT
    ("HE", "HE", 25_000_000, 10_000_000, 10),  # Lean Hogs, CME
    ("GLE", "LE", 25_000_000, 10_000_000, 10),  # Live Cattle, CME
    ("MBT", "MBT", 5_000_000_000, 500_000, 10),  # Micro Bitcoin, CME
    ("GMET", "MET", 500_000_000, 50_000, 10),  # Micro Ether, CME
)

_BY_CODE = {code: (root, tick_size, tick_value) for code, root, tick_size, tick_value, _ in PRODUCTS}
_UNITS = {root: units for _, root, _, _, units in PRODUCTS}
_MICRO_OF = {
    "ES": "MES",
    "NQ": "MNQ",
    "YM": "MYM",
    "RTY": "M2K",
    "CL": "MCL",
    "NG": "MNG",
    "GC": "MGC",
    "SI": "SIL",
    "HG": "MHG",
    "6E": "M6E",
    "6B": "M6B",
    "6A": "M6A",
}
MICRO_UNITS_OF_A_MINI = 10


def product_code(contract_id: str) -> str:
    """The broker's product code of CON.F.US.<code>.<expiry> and of the symbol F.US.<code> (RULES.md 1.3)."""
    parts = contract_id.removeprefix("CON.").split(".")
    if len(parts) >= 3 and parts[0] == "F":
        return parts[2]
    return parts[-2] if len(parts) >= 2 else contract_id


def root_of_code(code: str) -> str:
    """The exchange root of a broker code; an unknown code is its own root."""
    known = _BY_CODE.get(code)
    return known[0] if known else code


def built_in_contract(contract_id: str) -> Contract | None:
    """The contract as the table knows it, None for an unknown product."""
    known = _BY_CODE.get(product_code(contract_id))
    return Contract(contract_id, *known) if known else None


def table_difference(contract: Contract) -> str | None:
    """What the broker's record says otherwise than the table about the worth of a tick, None where both agree.

    One of them is wrong, and every open result with it (RULES.md 1.2).
    """
    known = built_in_contract(contract.id)
    if known is None or not contract.described:
        return None
    if (known.tick_size, known.tick_value) == (contract.tick_size, contract.tick_value):
        return None
    told, table = (
        f"a tick of {price_text(one.tick_size)} worth {money_text(one.tick_value)}" for one in (contract, known)
    )
    return f"{contract.id}: the broker reports {told}, the built-in table has {table}"


def micro_units(root: str) -> int:
    """How many micro-units one contract counts: mini 10, micro 1, SIL 2; an unknown product counts as a mini."""
    return _UNITS.get(root, MICRO_UNITS_OF_A_MINI)


def micro_of(root: str) -> str | None:
    """The micro contract of a full-size or mini root (RULE-011 include_micros)."""
    return _MICRO_OF.get(root)


def known_roots() -> tuple[str, ...]:
    return tuple(_UNITS)
