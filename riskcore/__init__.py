"""riskcore: watches futures accounts, keeps every event, decides by rules."""

__version__ = "0.1.0"
