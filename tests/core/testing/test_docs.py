"""The page about testing is true: its snippets run, and its table knows every fault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from debabelizer.testing.soniox import Fault

PAGE = (Path(__file__).parents[3] / "docs" / "testing.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_snippets_run(number: int) -> None:
    namespace: dict[str, object] = {}
    exec(compile(SNIPPETS[number], f"docs/testing.md, snippet {number + 1}", "exec"), namespace)
    for name, value in namespace.items():
        if name.startswith("test_") and callable(value):
            value()


def test_every_fault_is_in_the_table() -> None:
    methods = {name for name, value in vars(Fault).items() if isinstance(value, classmethod)}
    assert methods == set(re.findall(r"Fault\.(\w+)\(", PAGE.split("| fault |")[1].split("\n\n")[0]))
