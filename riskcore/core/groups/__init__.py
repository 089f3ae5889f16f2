"""Limits that several accounts of a profile share (PROGRAMME.md 7)."""
