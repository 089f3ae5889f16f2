"""The chance to pass: an account's own days through the firm's programme (docs/concepts/odds.md)."""
