"""The program ``picklevm``: ``python -m picklevm``, and the command that the package installs."""

import signal
import sys

from ._native import run_command


def main() -> None:
    """Run the program with the arguments of the command line, and exit with its status."""
    # Python only takes note of Ctrl-C, and acts between two of its own instructions: of which there are none meanwhile.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
