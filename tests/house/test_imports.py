"""Imports point inwards, entry points are short, and files are small. The tests read the source."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "lib/xha"
FILES = sorted(HOUSE.rglob("*.py"))
NAMES = [str(path.relative_to(HOUSE)) for path in FILES]

# What core may import of the standard library: nothing that reads or changes the world outside.
PURE = {
    "__future__",
    "base64",
    "collections",
    "configparser",
    "csv",
    "dataclasses",
    "datetime",
    "difflib",
    "enum",
    "functools",
    "hashlib",
    "html",
    "ipaddress",
    "itertools",
    "json",
    "math",
    "re",
    "struct",
    "typing",
    "xml",
}
LAYERS = ("core", "adapters", "app", "doors")
# adapter: the third-party package that it wraps. Only doors may import rich.
WRAPPED = {
    "adapters/mysql/driver.py": {"pymysql"},
    "adapters/mysqld/donor_evidence.py": {"psutil"},
    "adapters/network/vip.py": {"psutil"},
    "adapters/network/whereabouts.py": {"psutil"},
    "adapters/http/client.py": {"requests", "urllib3"},  # requests is built on it
    "adapters/rabbitmq/amqp.py": {"pika"},
    "adapters/rabbitmq/amqp_sockets.py": {"psutil"},
    "adapters/rabbitmq/management_api.py": {"requests"},
    "adapters/rabbitmq/oslo_rpc.py": {"pika"},
}
DOORS_PARTIES = {"rich"}
IMPURE_CALLS = {"print", "input", "open", "exit", "quit", "eval", "exec", "__import__"}
THIN = 40
FILE_LINES, FUNCTION_LINES = 300, 60
VAGUE = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"}


def layer(path: Path) -> str:
    parts = path.relative_to(HOUSE).parts
    return parts[0] if len(parts) > 1 else "top"


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports anywhere, with relative names made absolute."""
    package = ("xha", *path.relative_to(HOUSE).parts[:-1])
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join([*start, *([node.module] if node.module else [])])
            # `from ..core import disabled` imports a module, `from .. import __version__` a name of the top.
            yield from (f"{name}.{alias.name}" for alias in node.names) if name in ("xha", "xha.core") else (name,)


def standard(name: str) -> bool:
    if sys.version_info >= (3, 10):
        return name in sys.stdlib_module_names
    return name not in ("pymysql", "psutil", "rich", "pika", "requests", "xha")


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("core/")])
def test_the_core_imports_nothing_that_looks_at_the_world(name: str) -> None:
    for module in imported(HOUSE / name):
        assert module.partition(".")[0] in PURE or module.startswith("xha.core."), f"core/{name} imports {module}"


def test_no_file_of_the_core_imports_itself_by_way_of_others() -> None:
    """The rule includes imports of types only: a mistake in one file must not affect another that it imports."""
    modules = {path.relative_to(HOUSE.parent).with_suffix("").as_posix().replace("/", "."): path for path in FILES}
    graph: dict[str, set[str]] = {}
    for module, path in modules.items():
        names = {
            f"{name}.{alias.name}"
            for node in ast.walk(tree(path))
            if isinstance(node, ast.ImportFrom) and node.level == 1 and not node.module
            for name in [module.rpartition(".")[0]]
            for alias in node.names
        }
        if module.startswith("xha.core."):
            graph[module] = {name for name in {*imported(path), *names} if name in modules}
    list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("adapters/")])
def test_an_adapter_imports_the_core_its_neighbours_and_what_it_wraps(name: str) -> None:
    wrapped = WRAPPED.get(name, set())
    for module in imported(HOUSE / name):
        top = module.partition(".")[0]
        assert standard(top) or top in wrapped or module.startswith(("xha.core.", "xha.adapters.")), module


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("app/")])
def test_a_use_case_imports_no_door_and_no_third_party(name: str) -> None:
    for module in imported(HOUSE / name):
        inside = module.startswith(("xha.core.", "xha.adapters.", "xha.app.")) or module == "xha.__version__"
        assert standard(module.partition(".")[0]) or inside, module


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("doors/")])
def test_a_door_imports_the_house_and_what_paints_a_terminal(name: str) -> None:
    for module in imported(HOUSE / name):
        top = module.partition(".")[0]
        assert standard(top) or top in ("xha", *DOORS_PARTIES), module


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("doors/")])
def test_only_doors_print_and_exit(name: str) -> None:
    allowed = set() if name.startswith("core/") else {"open"}
    # A forked child ends like this, without the exit handlers of its parent.
    exits = set() if "os.fork()" in (HOUSE / name).read_text(encoding="utf-8") else {("os", "_exit")}
    for node in ast.walk(tree(HOUSE / name)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in IMPURE_CALLS - allowed, f"line {node.lineno}: {node.func.id}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in {("sys", "exit"), ("sys", "stdout"), *exits}, node.lineno
        if isinstance(node, ast.Raise):
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            assert not (isinstance(raised, ast.Name) and raised.id == "SystemExit"), node.lineno


@pytest.mark.parametrize("name", NAMES)
def test_the_layers_are_the_four(name: str) -> None:
    assert layer(HOUSE / name) in LAYERS or name == "__init__.py"


@pytest.mark.parametrize("name", NAMES)
def test_a_file_fits_in_the_head_and_a_function_on_a_screen(name: str) -> None:
    path = HOUSE / name
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= FILE_LINES
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < FUNCTION_LINES, node.name


@pytest.mark.parametrize("name", NAMES)
def test_no_module_has_a_name_that_says_nothing(name: str) -> None:
    assert not VAGUE & set(Path(name).with_suffix("").parts)


@pytest.mark.parametrize("name", NAMES)
def test_every_module_says_what_it_is_for(name: str) -> None:
    assert ast.get_docstring(tree(HOUSE / name))


def test_there_is_one_escaper() -> None:
    """Control characters of other accounts' words reach no log and no terminal: one place replaces them."""
    loops = (ast.GeneratorExp, ast.ListComp, ast.SetComp)
    found = [
        name
        for name in NAMES
        for loop in ast.walk(tree(HOUSE / name))
        if isinstance(loop, loops)
        if any(isinstance(one, ast.Attribute) and one.attr == "isprintable" for one in ast.walk(loop))
    ]
    assert found == ["core/text/escape.py"]


def test_what_a_program_prints_is_read_within_a_budget() -> None:
    """subprocess keeps all that a program prints: process/command.py and process/captured_output.py do not."""
    readers = {
        name
        for name in NAMES
        for node in ast.walk(tree(HOUSE / name))
        if isinstance(node, ast.Attribute) and node.attr in ("check_output", "communicate", "getoutput")
    }
    assert readers == set()


DOORS = sorted(
    path
    for directory in ("agents", "checks", "xinetd")
    for path in (ROOT / directory).glob("*")
    if path.is_file() and path.read_text(encoding="utf-8").startswith("#!")
)


def test_the_doors_are_found() -> None:
    assert {path.name for path in DOORS} >= {"xha-check", "clustercheck", "xha-responder"}


@pytest.mark.parametrize("path", DOORS, ids=lambda path: path.name)
def test_a_door_s_source_is_thin_and_can_be_executed(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= THIN
    assert path.stat().st_mode & 0o111
