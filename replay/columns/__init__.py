"""Quotes as columns: searched in O(log n), and kept beside a recording so that its lines are read once."""
