"""The documents: what they link to and name exists, each page is in the index, each decision has its four parts."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from house.test_imports import FILES, HOUSE, ROOT
from xha import __version__
from xha.core.galera.position import Kind
from xha.core.node.report import METRICS
from xha.core.node.verdict import Code
from xha.core.ocf.galera_settings import PARAMETERS
from xha.core.services.catalogue import CATALOGUE
from xha.doors.check.command import subcommand_parser
from xha.doors.check.old_spellings import MODES
from xha.doors.check.subcommands import SUBCOMMANDS

TOP = ("ansible/README.md", "README.md", "README.zh.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
PAGES = [ROOT / name for name in TOP] + sorted((ROOT / "docs").rglob("*.md"))
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
HEADINGS = ["Context", "Decision", "Consequence", "Measurement"]
# Where a path may begin: at the top of the repository, or at a layer of lib/xha.
BEGINNINGS = "ansible|docs|tests|lib|packaging|agents|checks|xinetd|tools|\\.ci|core|adapters|app|doors"
NAMED = re.compile(rf"(?<![\w./-])((?:{BEGINNINGS})/[\w./*-]*[\w*/])(?:::(\w+))?")
# A module, a test or a page, by its name alone.
ALONE = re.compile(r"(?<![\w./-])(\w+\.py|[A-Z]+\.md)(?!\w)")
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
# What is not in the repository, or a pattern of what is.
ELSEWHERE = {
    "docs/decisions/NNNN-title.md",
    "AGENT.md",  # docs/lab/README.md: written by `make lab-report` for each agent
}


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(text: str) -> str:
    """What a page says outside of its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The names that a page's headings can be linked by, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", prose(page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def is_there(name: str) -> bool:
    """A folder that holds nothing but what Python compiled is none."""
    found = [path for base in (ROOT, HOUSE) for path in base.glob(name.rstrip("/"))]
    return any(
        path.is_file() or any(one.is_file() and one.suffix != ".pyc" for one in path.rglob("*")) for path in found
    )


def find_broken_links(page: Path) -> Iterator[str]:
    for target in LINK.findall(prose(page.read_text(encoding="utf-8"))):
        path, _, anchor = target.partition("#")
        if path.startswith(("https:", "http:", "mailto:")):
            continue
        linked = (page.parent / path) if path else page
        if not linked.exists() or (anchor and anchor not in anchors(linked)):
            yield target


def find_missing_files(page: Path) -> Iterator[str]:
    text = page.read_text(encoding="utf-8")
    for name, test in NAMED.findall(text):
        if name not in ELSEWHERE and not is_there(name):
            yield name
        elif test and f"def {test}(" not in (ROOT / name).read_text(encoding="utf-8"):
            yield f"{name}::{test}"
    for name in ALONE.findall(text):
        beside = name in ELSEWHERE or (ROOT / name).exists() or (page.parent / name).exists()
        if not beside and not any(any((ROOT / below).rglob(name)) for below in ("lib", "tests", ".ci")):
            yield name


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    assert list(find_broken_links(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_what_a_page_names_is_there(page: Path) -> None:
    assert list(find_missing_files(page)) == []


@pytest.mark.parametrize("source", FILES, ids=shown)
def test_what_a_comment_names_is_there(source: Path) -> None:
    assert list(find_missing_files(source)) == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_a_target_of_make_is_one(page: Path) -> None:
    files = (ROOT / "Makefile", *ROOT.glob("*/*.mk"), *ROOT.glob("*/*/*.mk"))
    targets = {
        name for file in files for name in re.findall(r"^([a-z][a-z-]*):", file.read_text(encoding="utf-8"), re.M)
    }
    named = re.findall(r"(?:`|^(?:sudo )?)make ([a-z-]+)(?=[ `\n])", page.read_text(encoding="utf-8"), re.M)
    assert set(named) - targets == set()


def find_wrong_commands(page: Path) -> Iterator[str]:
    """The commands in a page's code with a subcommand or an option that does not exist."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```.*?^```$", text, re.MULTILINE | re.DOTALL)
    options = {name: {"--help", *subcommand_parser(row)._option_string_actions} for name, row in SUBCOMMANDS.items()}
    before = {f"--{mode}" for mode in MODES} | {"--version", *(name for names in options.values() for name in names)}
    for line in [*"\n".join(blocks).splitlines(), *re.findall(r"`([^`\n]+)`", prose(text))]:
        for said in re.findall(r"(?<![\w/.-])xha-check ([^#;|&>\n)]*)", line):
            words = said.partition("  ")[0].replace("[", " ").replace("]", " ").split()
            first = words[0] if words else "--help"
            given = {word.partition("=")[0].rstrip(".,'\"") for word in words if word.startswith("--")}
            known = before if first.startswith("--") else options.get(first)
            if first != "SUBCOMMAND" and (known is None or given - known):
                yield said


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_a_command_of_xha_check_is_one(page: Path) -> None:
    assert list(find_wrong_commands(page)) == []


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_has_a_title_and_four_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.match(rf"# {page.stem[:4]}: \S", text)
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)[1:]
    assert parts[::2] == HEADINGS
    assert all(part.strip() for part in parts[1::2])
    assert re.search(r"\d|\bseen\b|[Nn]ot measured", parts[-1]), "a figure, or: not measured"


def test_the_decisions_are_numbered_and_each_stands_in_the_index_once() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    linked = re.findall(r"^- \[(\d{4})\]\((\S+)\): \S", index, re.MULTILINE)
    assert [page.stem[:4] for page in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]
    assert sorted(linked) == [(page.stem[:4], page.name) for page in DECISIONS]


def find_linked(page: Path) -> set[Path]:
    """The files of this repository that a page links to; of a folder its README."""
    targets = (target.partition("#")[0] for target in LINK.findall(prose(page.read_text(encoding="utf-8"))))
    return {(page.parent / target).resolve() for target in targets if target and "://" not in target}


def test_every_page_of_docs_is_reached_from_the_index_and_most_of_them_at_once() -> None:
    index = ROOT / "docs/README.md"
    reached, seen = {index}, set()
    while reached - seen:
        page = min(reached - seen)
        seen.add(page)
        reached |= {one for one in find_linked(page) if one.suffix == ".md" and one.is_file()}
    assert {page for page in PAGES if page.is_relative_to(ROOT / "docs")} - reached == set()
    assert set((ROOT / "docs").glob("*.md")) - {index} - find_linked(index) == set()


def test_the_index_has_a_page_under_one_kind_alone() -> None:
    kinds = (ROOT / "docs/README.md").read_text(encoding="utf-8").split("\n## ")[1:]
    assert [kind.split(":")[0].split(",")[0] for kind in kinds] == [
        "Tutorial",
        "How-to",
        "Reference",
        "Explanation",
        "Decisions",
    ]
    linked = [target for kind in kinds for target in re.findall(r"^- \[[^\]]*\]\((\S+)\)", kind, re.MULTILINE)]
    assert sorted(linked) == sorted(set(linked))


def test_every_page_of_the_repository_is_among_those_that_these_tests_read() -> None:
    told = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    if told.returncode:
        pytest.skip("not a git checkout: which files belong to it is not known")
    assert {ROOT / name for name in told.stdout.split()} - set(PAGES) == set()


def test_the_chinese_quick_start_has_the_commands_of_the_english_one() -> None:
    english, chinese = (
        re.findall(r"^```.*?^```$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        for name in ("README.md", "README.zh.md")
    )
    assert len(english) > 5
    assert chinese == english


def test_the_chinese_page_is_set_as_chinese() -> None:
    """Wide punctuation after Chinese, and no line break inside of a sentence, which would be shown as a space."""
    text = prose((ROOT / "README.zh.md").read_text(encoding="utf-8"))
    han = r"[\u4e00-\u9fff]"
    assert re.findall(rf"{han}[,.:;!?()][^\]\n]{{0,20}}|[,:;!?()]{han}.{{0,20}}", text) == []
    assert re.findall(r"[\u3000-\u9fff\uff00-\uffef]\n(?=[^\n|#!-]).{0,20}", text) == []


def test_what_a_newcomer_is_told_to_type_is_what_the_contract_names() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for spelling in (
        "make demo",
        "make test",
        "make deb",
        "pcs resource create p_mysql ocf:xha:galera",
        "option httpchk",
        "port 49000",
        "xha-check --node",
        "xha-check --cluster",
    ):
        assert spelling in text, spelling
    assert len(text.splitlines()) <= 120, "what is long has a page in docs/"


CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_changelog_keeps_no_decisions() -> None:
    assert "\n### Decided" not in CHANGELOG


def test_the_changelog_s_newest_release_is_the_version() -> None:
    released = [heading for heading in re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE) if heading != "Unreleased"]
    for heading in released:
        assert re.fullmatch(r"\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)", heading), "## 1.2.3 (2027-01-31)"
    assert not released or released[0].startswith(f"{__version__} ")


GLOSSARY = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")


def test_the_glossary_has_a_line_for_each_term_in_order() -> None:
    for section in GLOSSARY.split("\n## ")[1:]:
        terms = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)[1:]
        assert terms
        assert all(meaning.strip() != "---" for _, meaning in terms)
        if "kind |" not in section:
            assert [term.lower() for term, _ in terms] == sorted(term.lower() for term, _ in terms)


def test_the_glossary_has_the_kinds_of_data_that_there_are() -> None:
    kinds = re.findall(r"^\| ([^|]+) \|", GLOSSARY.split("| kind |")[1].split("\n## ")[0], re.MULTILINE)
    assert {kind.replace(" ", "-") for kind in kinds if kind != "---"} - {kind.value for kind in Kind} == set()
    assert len(kinds) >= len(Kind)


def test_a_field_s_term_links_to_where_it_is_explained() -> None:
    for line in GLOSSARY.split("\n"):
        if "*Field*:" in line:
            assert "](https://" in line or line.startswith("| view "), line


@pytest.mark.parametrize("name", CATALOGUE)
def test_docs_services_has_every_service_of_the_catalogue(name: str) -> None:
    page = (ROOT / "docs/services.md").read_text(encoding="utf-8")
    assert re.search(rf"^### .*\b{name}\b", page, re.MULTILINE), f"docs/services.md has no heading with {name}"


# docs/contributing.md: a worked example names a model that there is, and something new that is not.
MODELS = {
    "a service": set(CATALOGUE),
    "a check": set(CATALOGUE),
    "an agent parameter": {parameter.name for parameter in PARAMETERS},
    "a reason code": {code.value for code in Code},
    "a metric": set(METRICS),
    "a subcommand": set(SUBCOMMANDS),
}
EXAMPLES = dict(
    re.findall(
        r"^### Adding (.+?)\n(.+?)(?=^##|\Z)",
        (ROOT / "docs/contributing.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
)


def test_each_of_the_worked_examples_is_there() -> None:
    assert set(EXAMPLES) == set(MODELS)


@pytest.mark.parametrize("what", MODELS)
def test_a_worked_example_names_a_model_that_there_is_and_adds_what_is_not_there(what: str) -> None:
    model, new = (re.search(rf"^- {word}: `([\w-]+)`", EXAMPLES[what], re.MULTILINE) for word in ("Model", "New"))
    assert model is not None
    assert model[1] in MODELS[what]
    assert new is not None
    assert new[1] not in MODELS[what]
