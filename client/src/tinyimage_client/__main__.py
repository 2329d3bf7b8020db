"""`python -m tinyimage_client`, and the command `tinyimage`."""

from __future__ import annotations


def main() -> None:
    """Run the command with the arguments of this process."""
    from tinyimage_client.command.main import command

    command(prog_name="tinyimage")


if __name__ == "__main__":
    main()
