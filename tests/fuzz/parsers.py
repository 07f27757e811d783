"""Gives each parser inputs that are nearly right. It may only raise what its docstring says, and must return soon."""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import math
import random
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from fuzz.corpus import STARTS, Start
from fuzz.mutate import mutations, shown

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "lib/xha"
NAMES = ("parse_", "load_", "decode_")
# Each input of hypothesis is changed this many times without hypothesis. That is 20 times as fast, and still shrinks.
CHANGES = 25
EXAMPLES = 20
# Seconds of processor time for one input of at most 64 KiB. A search with backtracking takes minutes.
SLOWEST = 2.0


class Broken(AssertionError):
    """A parser raised an error that it does not document, took too long, or returned an invalid number."""


def find_parsers() -> list[str]:
    """Return the public parsers of lib/xha by reading its source, for example `core.http.parse_request`."""
    found = []
    for path in sorted([*(HOUSE / "core").rglob("*.py"), *(HOUSE / "adapters").rglob("*.py")]):
        module = ".".join(path.relative_to(HOUSE).with_suffix("").parts)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith(NAMES):
                found.append(f"{module}.{node.name}")
    return found


class Parser:
    """One parser of lib/xha, and what it may raise."""

    def __init__(self, name: str, start: Start) -> None:
        self.name, self.start = name, start
        module, _, function = name.rpartition(".")
        self.module = importlib.import_module(f"xha.{module}")
        self.function: Callable[..., Any] = getattr(self.module, function)
        self.promised = self._read_promises()
        self.tried = 0
        self.slowest = 0.0

    def _read_promises(self) -> tuple[type[BaseException], ...]:
        """Return the exceptions that the docstring names after `raises`.

        If it names none, return those of the module's docstring.
        """
        for text in (inspect.getdoc(self.function), inspect.getdoc(self.module)):
            clauses = re.findall(r"[Rr]aises:?\s+([^.:]*)", text or "")
            names = [name for clause in clauses for name in re.findall(r"\b[A-Z]\w+", clause)]
            promised = tuple(kind for kind in (_find_exception(self.module, name) for name in names) if kind)
            if promised:
                return promised
        return ()

    def check(self, value: Any) -> None:
        """Parse one input. :raises Broken: with the input."""
        self.tried += 1
        began = time.thread_time()
        try:
            result = self.start.call(self.function, value)
        except self.promised:
            result = None
        except Exception as error:
            raise Broken(f"{self.name} raises {error!r:.200} for {shown(value)}") from error
        took = time.thread_time() - began
        self.slowest = max(self.slowest, took)
        if took > SLOWEST:
            raise Broken(f"{self.name} takes {took:.1f} s for {shown(value)}")
        if not _is_finite(result):
            raise Broken(f"{self.name} returns {result!r:.200} for {shown(value)}")

    def fuzz(self, number: int) -> None:
        """Try some inputs. The same number gives the same inputs."""
        samples = self.start.samples
        drawn = st.sampled_from(samples)
        if isinstance(samples[0], str):
            drawn |= st.text(max_size=60)
        elif isinstance(samples[0], bytes):
            drawn |= st.binary(max_size=60)

        @seed(number)
        @settings(
            max_examples=EXAMPLES,
            database=None,
            deadline=None,
            report_multiple_bugs=False,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(drawn, st.integers(0, 2**32))
        def run(value: Any, changes: int) -> None:
            for changed in mutations(value, samples, random.Random(changes), CHANGES):
                self.check(changed)

        run()


def _find_exception(own: ModuleType, name: str) -> type[BaseException] | None:
    found = getattr(builtins, name, None)
    if found is None:
        modules = (own, *(importlib.import_module(f"xha.{one}") for one in _modules()))
        found = next((getattr(module, name) for module in modules if hasattr(module, name)), None)
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


def _modules() -> Iterator[str]:
    for path in sorted((HOUSE / "core").rglob("*.py")):
        if path.name != "__init__.py":
            yield ".".join(path.relative_to(HOUSE).with_suffix("").parts)
    yield "adapters.pacemaker.tools"


def _is_finite(value: Any, depth: int = 0) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        value = list(value.values())
    return not isinstance(value, (tuple, list)) or depth > 5 or all(_is_finite(one, depth + 1) for one in value)


def fuzz_parsers(number: int, seconds: float) -> list[Parser]:
    """Try all parsers in turn for this time, each at least once. The same number gives the same inputs, in order."""
    parsers = [Parser(name, start) for name, start in STARTS.items()]
    until, turn = time.monotonic() + seconds, 0
    while not turn or time.monotonic() < until:
        for parser in parsers:
            parser.fuzz(number + turn)
            if turn and time.monotonic() > until:
                break
        turn += 1
    return parsers
