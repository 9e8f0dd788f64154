"""The command `madoguchi`. Exit codes: 0 done, 1 refused or failed, 2 wrong usage or settings."""

import os

from server.cli.root import commands


def main() -> None:
    """Run the command line; what it makes is for its owner alone."""
    os.umask(0o077)
    commands(prog_name="madoguchi")
