"""The kit of riskcore.testing, by the name the tests know it by."""

from riskcore.testing.desk import WORKING_STATUSES as WORKING_STATUSES
from riskcore.testing.desk import Desk as Desk
