"""The kit of riskcore.testing, by the name the tests know it by."""

from riskcore.core.quantities import SECOND_NS as SECOND_NS
from riskcore.testing.ledger import ACCOUNT as ACCOUNT
from riskcore.testing.ledger import CHICAGO as CHICAGO
from riskcore.testing.ledger import Ledger as Ledger
from riskcore.testing.ledger import clock as clock
from riskcore.testing.ledger import nanoseconds as nanoseconds
from riskcore.testing.ledger import usd as usd
from riskcore.testing.ledger import zone_rows as zone_rows
