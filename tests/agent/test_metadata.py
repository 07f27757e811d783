"""The meta-data, checked by each of their readers: pcs's schema, ocf-tester's DTD, Pacemaker, pcs and crmsh."""

from __future__ import annotations

import re
import resource
import subprocess
from pathlib import Path
from xml.etree import ElementTree

from agent.conftest import Staged
from loopback import find_program
from xha import __version__
from xha.core.ocf.api import ACTIONS
from xha.core.ocf.galera_description import DESCRIPTION
from xha.core.ocf.galera_settings import PARAMETERS, SECRETS
from xha.core.ocf.metadata import render_metadata

XML = render_metadata(__version__, DESCRIPTION)
ROOT = ElementTree.fromstring(XML)
PCS_SCHEMA = Path("/usr/share/pcs/data/ocf-1.1.rng")
DTD = Path("/usr/share/resource-agents")
AGENT = "ocf:xha:galera"


def lint(*options: str, xml: str = XML, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [find_program("xmllint", "libxml2-utils"), "--noout", *options, "-"]
    return subprocess.run(command, input=xml, capture_output=True, text=True, cwd=cwd, check=False)


def test_pcs_s_schema_accepts_them() -> None:
    assert PCS_SCHEMA.exists(), "apt-get install pcs, or make deps"
    done = lint("--relaxng", str(PCS_SCHEMA))
    assert done.returncode == 0, done.stderr


def read_complaints(xml: str) -> set[str]:
    """What ocf-tester's DTD finds wrong, each kind once."""
    assert (DTD / "ra-api-1.dtd").exists(), "apt-get install resource-agents, or make deps"
    said = lint("--valid", xml=xml, cwd=DTD).stderr
    return set(re.findall(r"validity error : (.*)", said))


OF_OCF_1_1 = {
    "No declaration for attribute reloadable of element parameter",
    'Value "reload-agent" for attribute name of action is not among the enumerated set',
}


def test_the_older_dtd_complains_of_what_ocf_1_1_brought_and_of_nothing_else() -> None:
    """ocf-tester is of OCF 1.0. Pacemaker and pcs read what 1.1 has."""
    assert read_complaints(XML) == OF_OCF_1_1


def test_they_declare_nothing_themselves() -> None:
    """Pacemaker 3.0's controller logs "Triggered fatal assertion ... XML_ELEMENT_NODE" for a declaration."""
    assert "<!ATTLIST" not in XML
    assert "[" not in XML.partition("<resource-agent")[0]


def test_no_parameter_is_private_because_pcs_refuses_that_attribute() -> None:
    assert {name for one in ROOT.iter("parameter") for name in one.attrib} == {"name", "required", "reloadable"}


def test_they_are_ascii_and_declare_no_encoding() -> None:
    assert XML.isascii()
    assert XML.startswith('<?xml version="1.0"?>\n')


def test_what_they_say_is_what_the_tables_say() -> None:
    assert ROOT.findtext("version") == "1.1"
    for one, element in zip(PARAMETERS, ROOT.iterfind("parameters/parameter")):
        assert element.get("name") == one.name
        assert element.get("reloadable", "0") == str(int(one.reloadable))
        assert element.findtext("longdesc") == one.long
        assert element.find("content").attrib.get("default", "") == one.default  # type: ignore[union-attr]
    actions = [(each.get("name"), each.get("timeout"), each.get("depth")) for each in ROOT.iterfind("actions/action")]
    depths = [None if one.depth is None else str(one.depth) for one in ACTIONS]
    assert actions == [(one.name, f"{one.timeout}s", depth) for one, depth in zip(ACTIONS, depths)]


def test_the_passwords_are_said_to_be_readable_and_the_better_way_is_named() -> None:
    for words in [ROOT.findtext("longdesc"), *(one.long for one in PARAMETERS if one.name in SECRETS)]:
        assert words is not None
        assert "readable" in words
        assert "test_conf" in words


def test_pacemaker_shows_them(staged: Staged) -> None:
    done = staged.tool("crm_resource", "--show-metadata", AGENT)
    assert done.returncode == 0, done.stderr
    assert ElementTree.fromstring(done.stdout).get("name") == "galera"


def test_pcs_describes_them(staged: Staged) -> None:
    done = staged.tool(find_program("pcs", "pcs"), "resource", "describe", AGENT)
    assert done.returncode == 0, done.stderr
    assert [one.name for one in PARAMETERS if f"\n  {one.name}: " not in done.stdout] == []
    assert "OCF_CHECK_LEVEL=20" in done.stdout


def test_crmsh_describes_them(staged: Staged) -> None:
    done = staged.tool(find_program("crm", "crmsh"), "ra", "info", AGENT)
    assert done.returncode == 0, done.stderr
    assert [one.name for one in PARAMETERS if f"\n{one.name} (" not in done.stdout] == []
    assert "ERROR" not in done.stdout + done.stderr


def test_pcs_takes_the_example_of_the_man_page_and_copies_the_operations(staged: Staged, tmp_path: Path) -> None:
    cib = tmp_path / "cib.xml"
    cib.write_text(staged.tool("cibadmin", "--empty").stdout)
    pcs = find_program("pcs", "pcs")
    command = "".join(f"{line.rstrip(chr(92))} " for line in DESCRIPTION.example)
    for one in filter(str.strip, command.split("pcs ")):
        done = staged.tool(pcs, "-f", str(cib), *one.split())
        assert done.returncode == 0, done.stderr
        assert "Warning" not in done.stderr
    assert [pair.get("name") for pair in ElementTree.parse(cib).iterfind(".//clone/meta_attributes/nvpair")] == [
        "interleave"
    ]
    copied = {(op.get("name"), op.get("interval"), op.get("timeout")) for op in ElementTree.parse(cib).iter("op")}
    advertised = {
        (one.name, f"{one.interval or 0}s", f"{one.timeout}s")
        for one in ACTIONS
        if one.name not in ("meta-data", "validate-all")
    }
    assert copied == advertised


def test_they_need_no_environment_and_no_package(staged: Staged) -> None:
    done = subprocess.run([staged.path, "meta-data"], env={}, capture_output=True, text=True, cwd="/", check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == XML


def test_they_cost_little(staged: Staged) -> None:
    """Processor time: ocf:heartbeat:galera takes 85 ms for a monitor; Python alone takes about 15."""

    def seconds() -> float:
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        return spent.ru_utime + spent.ru_stime

    best = 1.0
    for _ in range(5):
        before = seconds()
        subprocess.run([staged.path, "meta-data"], env={}, capture_output=True, check=True)
        best = min(best, seconds() - before)
    assert best < 0.08
