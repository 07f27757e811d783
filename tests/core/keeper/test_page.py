"""docs/keeper.md is what the code and the scripts say, and every state, effect and guard is shown by a script."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from core.keeper.modes import Mode
from core.keeper.scene import Scene
from xha.core.keeper import effects
from xha.core.pacemaker.guards import Guard

TOOL = Path(__file__).parents[3] / "tools" / "keeper_page"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("keeper_page", str(TOOL))
    spec = importlib.util.spec_from_loader("keeper_page", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_the_page_is_what_the_code_says(tool: ModuleType) -> None:
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), "write it anew: tools/keeper_page"


def test_every_state_effect_and_guard_is_shown(tool: ModuleType) -> None:
    steps = tool.play_all()
    assert {after for _, _, after, _ in steps} | {Scene().mode} == set(Mode)
    done = [one for *_, all_of_them in steps for one in all_of_them]
    assert {type(one.act) for one in done} == set(effects.Act.__args__)  # type: ignore[attr-defined]
    assert {type(guard) for one in done for guard in one.guards} == set(Guard.__args__)  # type: ignore[attr-defined]
