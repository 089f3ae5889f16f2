"""Many settings over many days (WHATIF.md 7, INTERFACE.md 6)."""
