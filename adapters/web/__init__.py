"""The local API, its stream and the page of a running engine, or read-only of a store (INTERFACE.md 9)."""
