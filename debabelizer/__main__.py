"""``python -m debabelizer``: the command line."""

from __future__ import annotations

from debabelizer.cli import main

if __name__ == "__main__":
    main()
