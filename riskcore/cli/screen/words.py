"""How a screen writes times, amounts and contracts: short, in the exchange's own clock."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from riskcore.core.products import product_code, root_of_code
from riskcore.core.state import Book
from riskcore.core.trading_day import Zone, local_time
from riskcore.schema.instants import read_instant

CLOSE_SECONDS = 2.0  # How long a terminal may take for what is still to be shown when riskcore ends.

_INSTANT = re.compile(r"(?<![\w@:/.-])(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)Z")
_CONTRACT = re.compile(r"\bCON\.F\.[A-Z]+\.([A-Z0-9]+)\.([A-Z])([0-9]{2})\b")
_UTC: Zone = ((0, 0),)


@dataclass(frozen=True, slots=True)
class Clock:
    """A zone's time of day, for people."""

    zone: Zone
    place: str

    def time(self, at: int) -> str:
        """HH:MM:SS."""
        seconds = local_time(self.zone, at)[1]
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    def date(self, at: int) -> str:
        """Fri 2026-11-20."""
        return date.fromordinal(local_time(self.zone, at)[0]).strftime("%a %Y-%m-%d")

    def time_of(self, text: str) -> str:
        """HH:MM:SS of an instant in UTC text, as every output has it."""
        return self.time(read_instant(text))

    def localized(self, text: str, now: int) -> str:
        """A sentence with every instant in it as this clock shows it; the date only where it is another one."""

        def shown(found: re.Match[str]) -> str:
            at = read_instant(f"{found[1]}T{found[2]}Z")
            return self.time(at) if self.date(at) == self.date(now) else f"{self.date(at)} {self.time(at)}"

        return _INSTANT.sub(shown, text)


UTC_CLOCK = Clock(_UTC, "UTC")


def exchange_clock(book: Book) -> Clock:
    """The clock of the profile's trading day; UTC before a day is open."""
    if book.day is None:
        return UTC_CLOCK
    name = book.day.timezone
    return Clock(book.day.zones[name], name.rpartition("/")[2].replace("_", " "))


def duration(seconds: int | None) -> str:
    """0:07, 12:05, 6:59:12, 2 d 3 h."""
    if seconds is None:
        return ""
    if seconds >= 86_400:
        return f"{seconds // 86_400} d {seconds % 86_400 // 3600} h"
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def dollars(text: str | None) -> str:
    """An exact amount rounded to cents, with thousands: -1,204.50. A screen shows cents; outputs show all digits."""
    return "unknown" if text is None else f"{Decimal(text):,.2f}"


def limit_dollars(text: str) -> str:
    """A limit as a trader writes it: 500, 1,000, 62.50."""
    return dollars(text).removesuffix(".00")


def percent(share: str) -> str:
    """A share of a limit for people, cut to whole percents: 100 % is shown only where the limit is reached."""
    return f"{int(Decimal(share) * 100)} %"


def counted(number: int, what: str) -> str:
    """1 fill, 2 fills; 1 breach, 2 breaches."""
    ending = "" if number == 1 else "es" if what.endswith(("ch", "s", "x")) else "s"
    return f"{number} {what}{ending}"


def short_contracts(text: str) -> str:
    """Contract ids in a text as the platform names them: MNQZ6 for CON.F.US.MNQ.Z26, ESZ6 for CON.F.US.EP.Z26."""
    return _CONTRACT.sub(lambda found: f"{root_of_code(found[1])}{found[2]}{found[3][1]}", text)


def root_of_contract(contract: str | None) -> str:
    """MNQ for CON.F.US.MNQ.Z26, ES for CON.F.US.EP.Z26, a root as it is; nothing for no contract."""
    return root_of_code(product_code(contract)) if contract else ""
