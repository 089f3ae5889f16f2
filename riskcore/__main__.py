"""The riskcore command, also as `python -m riskcore`."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line with the packages of this installation, whatever lies in the working directory."""
    try:
        from riskcore.own_packages import claim_process

        claim_process()
        from riskcore.cli.main import main

        main()
    except KeyboardInterrupt:  # While the command was still being imported; later ones are met there.
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
