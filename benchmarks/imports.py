"""What starting costs, counted in modules, which do not depend on how busy the machine is.

    python benchmarks/imports.py

Each line is a fresh interpreter; modules are those it has beyond `import asyncio`. Prints a Markdown table.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Final

COUNT: Final = """
import asyncio, sys
before = set(sys.modules)
{statement}
new = set(sys.modules) - before
ours = [name for name in new if name.partition(".")[0] == "debabelizer"]
heavy = {{"numpy", "av", "soxr", "aiohttp", "websockets", "pydantic", "pluggy", "typer", "moonshine_voice"}}
from importlib.metadata import entry_points
plugins = [point.value for point in entry_points(group="debabelizer")]
specs = {{name for name in new if any((plugin + ".").startswith(name + ".") for plugin in plugins)}}
specs |= {{name for name in new if name.endswith(("spec", ".servers"))}}
providers = sorted(name for name in new - specs if name.startswith("debabelizer_"))
print(len(new), len(ours), ", ".join(sorted(heavy & new)) or "none", ", ".join(providers) or "none", sep="|")
"""

RUN: Final = """
import contextlib, io
from debabelizer.cli import main
sys.argv = ["debabelizer", *{arguments!r}]
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main()
"""

STATEMENTS: Final = {
    "`import debabelizer`": "import debabelizer",
    "`debabelizer --help`": RUN.format(arguments=["--help"]),
    "`debabelizer providers`": RUN.format(arguments=["providers"]),
}


def main() -> None:
    """Print the table."""
    print("| | modules | of these ours | heavy packages | providers' code beyond their specs |")
    print("|---|---:|---:|---|---|")
    for name, statement in STATEMENTS.items():
        code = COUNT.format(statement=statement)
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        modules, ours, heavy, providers = out.strip().split("|")
        print(f"| {name} | {modules} | {ours} | {heavy} | {providers} |")


if __name__ == "__main__":
    main()
