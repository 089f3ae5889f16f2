# The tasks of .ci/run, one by one. Each calls it, so that what passes here passes there.

# List the tasks.
default:
    @just --list

# Create .venv with everything that tests need.
setup:
    .ci/run setup

# Check style and layout.
lint:
    .ci/run lint

# Check types.
types:
    .ci/run types

# Run the quick tests: about twenty seconds.
quick:
    .ci/run quick

# Run all tests, with the command that the README prints.
tests:
    .ci/run tests

# Replay the recorded days on every other Python that is installed.
pythons:
    .ci/run pythons

# Do what CI does: all of the above.
all:
    .ci/run
