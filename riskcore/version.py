"""The version of riskcore, as an opening event records it: which code judged a day."""

VERSION = "0.1.0"
