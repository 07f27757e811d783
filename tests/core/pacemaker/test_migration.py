"""The findings for a configuration that was made for ocf:heartbeat:galera."""

from __future__ import annotations

import pytest

from xha.core.pacemaker.cib import Cib, parse_cib
from xha.core.pacemaker.migration import find_misfits

GOOD = Cib(exists=True, clone="db-clone", meta={"interleave": "true"}, properties={"no-quorum-policy": "freeze"})

MISFITS = {
    "no clone": (GOOD._replace(clone=""), "pcs resource clone db meta interleave=true"),
    "promotable": (
        GOOD._replace(promotable=True, meta={"promotable": "true", "promoted-max": "3"}),
        "pcs resource meta db-clone promotable= promoted-max=;",
    ),
    "a <master>": (GOOD._replace(promotable=True), "pcs resource meta db-clone promotable=;"),
    "what promotable left": (GOOD._replace(meta={"master-max": "3"}), "pcs resource meta db-clone master-max=;"),
    "globally unique": (
        GOOD._replace(meta={"globally-unique": "true"}),
        "pcs resource meta db-clone globally-unique=",
    ),
    "stop by default": (GOOD._replace(properties={}), "pcs property set no-quorum-policy=freeze"),
    "stop": (GOOD._replace(properties={"no-quorum-policy": "stop"}), "pcs property set no-quorum-policy=freeze"),
}


@pytest.mark.parametrize("case", MISFITS)
def test_a_misfit_is_told_with_its_remedy(case: str) -> None:
    cib, remedy = MISFITS[case]
    (told,) = find_misfits(cib, "db")
    assert remedy in str(told)


@pytest.mark.parametrize("cib", [GOOD, Cib()], ids=["what fits", "no resource of that name"])
def test_there_is_nothing_to_say(cib: Cib) -> None:
    assert list(find_misfits(cib, "db")) == []


def test_the_configuration_of_heartbeat_s_documents() -> None:
    text = """<cib have-quorum="1"><configuration><crm_config/><nodes/><resources>
      <clone id="galera-clone"><meta_attributes id="m">
        <nvpair id="1" name="promotable" value="true"/><nvpair id="2" name="promoted-max" value="3"/></meta_attributes>
        <primitive id="galera" class="ocf" provider="heartbeat" type="galera"/></clone>
    </resources></configuration></cib>"""
    told = "\n".join(map(str, find_misfits(parse_cib(text, "galera"), "galera")))
    assert "pcs resource meta galera-clone promotable= promoted-max=;" in told
    assert "no-quorum-policy=freeze" in told
