"""Tests of the kit that tests of rules are written with."""
