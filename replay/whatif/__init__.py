"""What if: the same days under other rules. Source: WHATIF.md."""
