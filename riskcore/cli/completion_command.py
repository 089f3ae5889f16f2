"""`riskcore completion`: what a shell needs to complete commands and options."""

import click
from click.shell_completion import get_completion_class


@click.command(epilog="Example: riskcore completion bash")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(shell: str) -> None:
    """Print the script that makes SHELL complete commands, options and files.

    bash: add it to ~/.bashrc; zsh: to ~/.zshrc; fish: to ~/.config/fish/completions/riskcore.fish.
    """
    from riskcore.cli.main import COMPLETION_VARIABLE, group

    kind = get_completion_class(shell)
    assert kind is not None, "click knows the shells that are offered"
    click.echo(kind(group, {}, "riskcore", COMPLETION_VARIABLE).source(), nl=False)
