"""The contracts the simulated broker offers: the 51 products of API.md 6 with the months that are active at a date.

A month is active until its roll, a number of days after (or before) the first of the month it is named after; the
numbers are such that the months that were active on 2026-08-19 are. Prices are where an unquoted contract stands.
Costs of one contract and side are in 1e-6 dollars: those seen (API.md 3.5), round figures of the same size elsewhere.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from riskcore.core.products import PRODUCTS, product_code
from riskcore.core.quantities import price

MONTH_CODES = "FGHJKMNQUVXZ"
_MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_QUARTERLY, _EVERY_MONTH = "HMUZ", MONTH_CODES
_GOLD, _SILVER, _GRAIN, _OIL_SEED, _CATTLE = "GJMQZ", "HKNUZ", "HKNUZ", "HKNZ", "GJMQVZ"
_MICRO, _MINI, _INDEX, _FULL = (370_000, 250_000), (900_000, 500_000), (1_400_000, 500_000), (1_600_000, 500_000)
_BOND = (890_000, 500_000)
_LONGEST_SCAN_MONTHS = 24
_FIRST_YEAR, _LAST_YEAR = 2010, 2099

# Exchange root: name, months, days from the first of the month to the roll, price, (fees, commissions).
_OFFERED: dict[str, tuple[str, str, int, str, tuple[int, int]]] = {
    "ES": ("E-Mini S&P 500", _QUARTERLY, 10, "6000", (1_400_000, 500_000)),
    "MES": ("Micro E-mini S&P 500", _QUARTERLY, 10, "6000", (360_000, 250_000)),
    "NQ": ("E-mini NASDAQ-100", _QUARTERLY, 10, "21000", (1_400_000, 500_000)),
    "MNQ": ("Micro E-mini Nasdaq-100", _QUARTERLY, 10, "21000", (370_000, 250_000)),
    "YM": ("E-mini Dow ($5)", _QUARTERLY, 10, "44000", _INDEX),
    "MYM": ("Micro E-mini Dow $0.50", _QUARTERLY, 10, "44000", (370_000, 250_000)),
    "RTY": ("E-mini Russell 2000", _QUARTERLY, 10, "2300", _INDEX),
    "M2K": ("Micro E-mini Russell 2000", _QUARTERLY, 10, "2300", _MICRO),
    "NKD": ("Nikkei 225 (Globex)", _QUARTERLY, 10, "39000", _FULL),
    "CL": ("Crude Light (Globex)", _EVERY_MONTH, -14, "70", _FULL),
    "MCL": ("Micro WTI Crude Oil", _EVERY_MONTH, -14, "70", (510_000, 250_000)),
    "QM": ("E-Mini Crude Oil", _EVERY_MONTH, -14, "70", _MINI),
    "NG": ("Natural Gas (Globex)", _EVERY_MONTH, -10, "3.2", _FULL),
    "MNG": ("Micro Henry Hub Natural Gas", _EVERY_MONTH, -10, "3.2", _MICRO),
    "QG": ("E-Mini Natural Gas", _EVERY_MONTH, -10, "3.2", _MINI),
    "RB": ("RBOB Gasoline (Globex)", _EVERY_MONTH, -14, "2.1", _FULL),
    "HO": ("NY Harbor ULSD", _EVERY_MONTH, -14, "2.3", _FULL),
    "GC": ("Gold (Globex)", _GOLD, -3, "2650", _FULL),
    "MGC": ("Micro Gold", _GOLD, -3, "2650", _MICRO),
    "SI": ("Silver (Globex)", _SILVER, -3, "31", _FULL),
    "SIL": ("Micro Silver", _SILVER, -3, "31", _MICRO),
    "HG": ("Copper (Globex)", _SILVER, -3, "4.2", _FULL),
    "MHG": ("Micro Copper", _SILVER, -3, "4.2", _MICRO),
    "PL": ("Platinum (Globex)", "FJNV", -1, "960", _FULL),
    "6E": ("Euro FX (Globex)", _QUARTERLY, 10, "1.08", _FULL),
    "E7": ("E-mini Euro FX", _QUARTERLY, 10, "1.08", _MINI),
    "M6E": ("E-Micro EUR/USD", _QUARTERLY, 10, "1.08", _MICRO),
    "6J": ("Japanese Yen (Globex)", _QUARTERLY, 10, "0.0066", _FULL),
    "6B": ("British Pound (Globex)", _QUARTERLY, 10, "1.27", _FULL),
    "M6B": ("E-Micro GBP/USD", _QUARTERLY, 10, "1.27", _MICRO),
    "6A": ("Australian Dollar (Globex)", _QUARTERLY, 10, "0.65", _FULL),
    "M6A": ("E-Micro AUD/USD", _QUARTERLY, 10, "0.65", _MICRO),
    "6C": ("Canadian Dollar (Globex)", _QUARTERLY, 10, "0.72", _FULL),
    "6S": ("Swiss Franc (Globex)", _QUARTERLY, 10, "1.13", _FULL),
    "6N": ("New Zealand Dollar (Globex)", _QUARTERLY, 10, "0.59", _FULL),
    "6M": ("Mexican Peso (Globex)", _QUARTERLY, 10, "0.049", _FULL),
    "ZT": ("2 Year US Treasury Note (Globex)", _QUARTERLY, -3, "102.5", _BOND),
    "ZF": ("5 Year US Treasury Notes (Globex)", _QUARTERLY, -3, "106", _BOND),
    "ZN": ("10yr US Treasury Notes (Globex)", _QUARTERLY, -3, "109", _BOND),
    "TN": ("Ultra 10yr Treasury Note (Globex)", _QUARTERLY, -3, "112", _BOND),
    "ZB": ("30yr US Treasury Bonds (Globex)", _QUARTERLY, -3, "116", _BOND),
    "UB": ("Ultra T-Bond (Globex)", _QUARTERLY, -3, "122", _BOND),
    "ZC": ("Corn (Globex)", _GRAIN, -14, "430", _FULL),
    "ZW": ("Wheat (Globex)", _GRAIN, -14, "560", _FULL),
    "ZS": ("Soybeans (Globex)", "FHKNQUX", -14, "1000", _FULL),
    "ZM": ("Soybean Meal (Globex)", _OIL_SEED, -14, "300", _FULL),
    "ZL": ("Soybean Oil (Globex)", _OIL_SEED, -14, "44", _FULL),
    "HE": ("Lean Hogs (Globex)", "GJKMNQVZ", 10, "84", _FULL),
    "LE": ("Live Cattle (Globex)", _CATTLE, 0, "190", _FULL),
    "MBT": ("Micro Bitcoin", _EVERY_MONTH, 26, "98000", _MICRO),
    "MET": ("Micro Ether", _EVERY_MONTH, 26, "3400", _MICRO),
}


@dataclass(frozen=True, slots=True)
class Product:
    """What is offered of one product. `code` is the broker's, `root` the exchange's."""

    code: str
    root: str
    name: str
    months: str
    roll_days: int
    reference_price: int
    fees_usd: int
    commissions_usd: int

    def description(self, expiry: str) -> str:
        """E-mini NASDAQ-100: December 2026."""
        return f"{self.name}: {_MONTH_NAMES[MONTH_CODES.index(expiry[0])]} 20{expiry[1:]}"

    def offers(self, expiry: str) -> bool:
        """Whether such a contract exists, existed or will; `expiry` is month code and two-digit year: Z26."""
        year = expiry[1:]
        known = len(expiry) == 3 and expiry[0] in self.months and year.isascii() and year.isdigit()
        return known and _FIRST_YEAR <= 2000 + int(year) <= _LAST_YEAR


def _product(code: str, root: str) -> Product:
    name, months, roll_days, reference, costs = _OFFERED[root]
    return Product(code, root, name, months, roll_days, price(reference), *costs)


OFFERED = {root: _product(code, root) for code, root, *_ in PRODUCTS}
_BY_CODE = {product.code: product for product in OFFERED.values()}


@lru_cache(maxsize=1024)
def active_expiry(product: Product, today: date) -> str:
    """Month code and two-digit year of the one contract that takes orders: Z26."""
    last_month = today.year * 12 + today.month - 2
    for number in range(last_month, last_month + _LONGEST_SCAN_MONTHS):
        year, index = divmod(number, 12)
        rolls = date(year, index + 1, 1) + timedelta(days=product.roll_days)
        if MONTH_CODES[index] in product.months and rolls > today:
            return f"{MONTH_CODES[index]}{year % 100:02d}"
    raise AssertionError(f"{product.root} has a month within {_LONGEST_SCAN_MONTHS} months")


def contract_of(contract_id: str) -> tuple[Product, str] | None:
    """Product and expiry of CON.F.US.<code>.<expiry>; None when there is no such contract (API.md 3.7)."""
    product, expiry = _BY_CODE.get(product_code(contract_id)), contract_id.rpartition(".")[2]
    if product is None or contract_id != contract_id_of(product, expiry) or not product.offers(expiry):
        return None
    return product, expiry


def contract_id_of(product: Product, expiry: str) -> str:
    return f"CON.F.US.{product.code}.{expiry}"
