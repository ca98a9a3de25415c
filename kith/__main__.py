"""The `kith` command. Loading what it may do takes a second, in which it can be interrupted."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from kith import cli  # noqa: PLC0415  # else an interruption meanwhile is a stack trace
    except KeyboardInterrupt:
        sys.exit(130)
    cli.main()


if __name__ == "__main__":
    main()
