"""The rooms of the house: layers, folders, no circles, one meaning for a name. Read from the source, types included."""

from __future__ import annotations

import ast
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from house.test_imports import FILES, HOUSE, LAYERS, tree

MOST_ENTRIES = 13
Graph = dict[str, set[str]]


def name_of(path: Path) -> str:
    return path.relative_to(HOUSE).with_suffix("").as_posix()


MODULES = {name_of(path): path for path in FILES if path.name != "__init__.py"}
FOLDERS = sorted({"/".join(name.split("/")[:depth]) for name in MODULES for depth in range(1, name.count("/") + 1)})


def imports_of(name: str) -> set[str]:
    """The modules of the house that a module imports, anywhere in it, also where only a type is imported."""
    package = name.split("/")[:-1]
    found = set()
    for node in ast.walk(tree(MODULES[name])):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("xha.")):
            start = package[: len(package) - node.level + 1] if node.level else []
            said = (node.module or "").split(".") if node.module else []
            parts = [*start, *(said if node.level else said[1:])]
            candidates = ["/".join([*parts, alias.name]) for alias in node.names] + ["/".join(parts)]
            found |= {one for one in candidates if one in MODULES}
    return found


GRAPH: Graph = {name: imports_of(name) for name in MODULES}


def find_circle(graph: Graph) -> str:
    """One circle as A -> B -> A, "" where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return " -> ".join(reversed(error.args[1]))
    return ""


def between(folder: str) -> Graph:
    """Which entries of a folder import which of their neighbours, files and whole folders alike."""
    depth = folder.count("/") + 1 if folder else 0
    graph: Graph = defaultdict(set)
    for name, imported in GRAPH.items():
        for other in imported:
            if all(one.startswith(f"{folder}/" if folder else "") for one in (name, other)):
                mine, theirs = (one.split("/")[depth] for one in (name, other))
                graph[mine] |= {theirs} - {mine}
    return graph


def test_the_graph_is_read() -> None:
    assert "core/node/verdict" in GRAPH["app/node/reader"]
    assert sum(map(len, GRAPH.values())) > 500


@pytest.mark.parametrize("name", MODULES)
def test_nothing_is_imported_from_a_layer_above(name: str) -> None:
    mine = LAYERS.index(name.split("/", maxsplit=1)[0])
    above = {other for other in GRAPH[name] if LAYERS.index(other.split("/")[0]) > mine}
    assert not above, f"{name} imports {', '.join(sorted(above))}"


def test_no_file_imports_itself_by_way_of_others() -> None:
    assert find_circle(GRAPH) == ""


@pytest.mark.parametrize("folder", ["", *FOLDERS])
def test_no_folder_imports_itself_by_way_of_its_neighbours(folder: str) -> None:
    assert find_circle(between(folder)) == ""


def test_a_circle_is_found_where_there_is_one() -> None:
    assert find_circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) != ""


@pytest.mark.parametrize("folder", ["", *FOLDERS])
def test_a_folder_has_so_many_entries_as_can_be_seen_at_once(folder: str) -> None:
    entries = {
        path.name
        for path in (HOUSE / folder).iterdir()
        if path.suffix == ".py" or any(path.rglob("*.py"))
        if path.name != "__init__.py"
    }
    assert len(entries) <= MOST_ENTRIES, sorted(entries)


def test_a_public_class_has_a_name_of_its_own() -> None:
    where: dict[str, list[str]] = defaultdict(list)
    for name, path in MODULES.items():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where[node.name].append(name)
    assert {name: files for name, files in where.items() if len(files) > 1} == {}
