"""The rules of docs/architecture.md that a machine can hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = sorted((ROOT / "debabelizer").rglob("*.py"))
PROVIDERS = sorted(ROOT.glob("providers/*/debabelizer_*/**/*.py"))
# From the top of the house to the bottom; a room imports from its own row and the rows below.
FLOORS = (
    ("cli", "__main__"),
    ("demo",),
    ("testing",),
    ("compare",),
    ("processor",),
    ("recordings",),
    ("candidates",),
    ("plugins", "config", "options", "provider", "streaming", "rest"),
    ("audio", "export", "choosing", "accounts"),
    ("status",),
    ("results", "errors", "spec"),
    ("values",),
)
NO_ROOMS = {"__init__", "templates"}  # the door, which names what is inside; and what `new-provider` fills in
# The owner of a stream, the border to foreign code, and the hand-over from a thread: nowhere else is everything caught.
CATCH_ALLS = {
    "debabelizer/streaming/supervisor.py": 1,
    "debabelizer/plugins/isolation.py": 1,
    "debabelizer/streaming/websocket.py": 2,
    "debabelizer/audio/worker.py": 1,
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_there_is_something_to_look_at() -> None:
    assert len(CORE) > 50
    assert len(PROVIDERS) > 5


@pytest.mark.parametrize("path", CORE, ids=name)
def test_the_core_imports_no_provider(path: Path) -> None:
    assert [module for module in imports(path) if module.startswith("debabelizer_")] == []


@pytest.mark.parametrize("path", CORE, ids=name)
def test_arrows_point_down(path: Path) -> None:
    room = path.relative_to(ROOT / "debabelizer").parts[0].removesuffix(".py")
    if room in NO_ROOMS:
        return
    here = next(index for index, row in enumerate(FLOORS) if room in row)
    above = {room for row in FLOORS[:here] for room in row}
    rooms = {module.split(".")[1] for module in imports(path) if module.startswith("debabelizer.")}
    assert rooms & above == set()


@pytest.mark.parametrize("path", [*CORE, *PROVIDERS], ids=name)
def test_only_the_supervisor_and_the_border_to_plugins_catch_everything(path: Path) -> None:
    caught = [
        node
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or {"Exception", "BaseException"} & {ast.unparse(part) for part in parts(node.type)})
        and not (node.body and isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)
    ]
    assert len(caught) <= CATCH_ALLS.get(name(path), 0)


def parts(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]


@pytest.mark.parametrize("path", [path for path in CORE if "streaming" in path.parts], ids=name)
def test_in_streaming_one_module_creates_tasks_and_none_looks_at_the_wall_clock(path: Path) -> None:
    used = set(calls(path))
    makers = {call for call in used if call.endswith(("create_task", "ensure_future", "TaskGroup", "put_nowait"))}
    if path.name != "tasks.py":
        assert makers == set()
    assert "time" not in set(imports(path))
    assert not {"time.time", "time.monotonic", "datetime.now", "asyncio.sleep"} & used


@pytest.mark.parametrize("path", [*CORE, *PROVIDERS], ids=name)
def test_no_module_is_too_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450
