"""``python -m suno_async``, which is the same as ``suno-async``."""

import sys
from importlib.util import find_spec

_NEEDED = ("cyclopts", "rich", "platformdirs")


def main() -> int:
    """The exit code of the command line; 2 and what to install where its extra is missing."""
    if any(find_spec(name) is None for name in _NEEDED):
        print("suno-async: the command line is an extra: pip install 'suno-async[cli]'", file=sys.stderr)  # noqa: T201 - this is its only word
        return 2
    from .extras.cli import main as run  # noqa: PLC0415 - only now is it known to be there

    return run()


if __name__ == "__main__":
    sys.exit(main())
