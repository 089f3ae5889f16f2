"""A session file without names and ids that anybody could trace, whose decisions stay the same."""
