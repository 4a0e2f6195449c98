"""The command `lecmux` (extra `lecmux[cli]`)."""

import sys

from lecmux.errors import LecmuxError, MissingExtraError

__all__ = ["main"]


def main() -> None:
    """Runs the command line. An error of lecmux's own is one message on stderr and exit code 1."""
    try:
        _app()()
    except LecmuxError as error:
        print(f"lecmux: {error}", file=sys.stderr)
        sys.exit(1)


def _app() -> "typer.Typer":  # type: ignore[name-defined]  # noqa: F821  an extra, loaded at first use
    try:
        from lecmux.cli.app import app  # noqa: PLC0415
    except ImportError as error:
        if error.name and error.name.split(".")[0] in {"rich", "typer"}:
            raise MissingExtraError("the command line needs: pip install 'lecmux[cli]'") from error
        raise
    return app
