"""riskcore as a library."""
