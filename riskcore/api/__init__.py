"""What `import riskcore` offers, one file a subject; `riskcore/__init__.py` names it all. Source: INTERFACE.md 11."""
