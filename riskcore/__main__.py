"""`python -m riskcore` is the riskcore command."""

from riskcore.cli.main import main

if __name__ == "__main__":
    main()
