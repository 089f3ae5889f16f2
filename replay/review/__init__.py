"""The evening review: one recorded day as the trader looks back on it."""
