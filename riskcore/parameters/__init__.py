"""Settings declared by `spec` (core/rules/base.py): read from TOML, checked, described and written back."""
