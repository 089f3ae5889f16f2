"""The riskcore command, also as `python -m riskcore`."""

from riskcore.own_packages import claim_process


def main() -> None:
    """Run the command line with the packages of this installation, whatever lies in the working directory."""
    claim_process()
    from riskcore.cli.main import main

    main()


if __name__ == "__main__":
    main()
