"""The pipelines that people run, in shapes of our own: what each template and build must hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.assessment.jobs import COLLECTOR
from harness.relay.template import PLACES, filled, named_in
from tests.collectors import otelcol, page
from tests.collectors.shapes import PIPELINES as FOLDER
from tests.collectors.shapes import SHAPES, Shape

ROOT = Path(__file__).resolve().parents[2]
PIPELINES = sorted(FOLDER.glob("*.yaml"))
PROMISED = {requirement.name for requirement in COLLECTOR.contract("0.0.0").requirements}
INLETS = {"grpc_in", "http_in"}
OUTLETS = {"grpc_out", "http_out", "file_out", "scrape", "write", "folder"}
VALUES = {name: f"value-of-{name}" for name in PLACES}


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.stem)
def test_a_pipeline_names_where_it_listens_and_where_it_sends(path: Path) -> None:
    template = path.read_text(encoding="utf-8")
    named = named_in(template, command=False)
    assert named & INLETS
    # A database has an address of its own.
    assert named & OUTLETS or "${env:" in template
    text = filled(template, VALUES, path.name)
    assert "${cc:" not in text
    assert all(VALUES[name] in text for name in named)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=lambda shape: shape.name)
def test_a_pipeline_says_what_is_expected_of_it(shape: Shape) -> None:
    assert shape.shape
    assert shape.loss
    assert shape.fails <= PROMISED
    for other in re.findall(r"(\w+)[.]yaml", f"{shape.shape} {shape.loss} {shape.remedy}"):
        assert other in SHAPES


def test_the_page_says_what_the_pipelines_say() -> None:
    written = (ROOT / "docs" / "collectors.md").read_text(encoding="utf-8")
    assert written == page.page(), "run: python docs/generated.py"


def test_the_pipelines_show_most_ways_to_lose_data() -> None:
    """They are numbered in the comments as in the catalogue of public pipelines."""
    assert len(PIPELINES) >= 15
    shown = {loss for shape in SHAPES.values() for loss in re.findall(r"\bL\d+\b", shape.loss)}
    assert shown <= page.LOSSES.keys()
    assert {f"L{number}" for number in (1, 2, 7, 8, 9, 10, 12, 13, 14, 15, 22, 23, 24)} < shown


def test_all_components_are_of_one_release() -> None:
    components = otelcol.components()
    assert {version for _, _, version in components} == {"v0.161.0", "v1.67.0"}
    assert {kind for _, kind, _ in components} == {
        *("", "connector", "exporter", "extension", "processor", "receiver"),
    }


def test_the_program_has_every_component() -> None:
    program = otelcol.main_go()
    for number, (path, _, _) in enumerate(otelcol.components()):
        assert f'\tc{number} "{path}"' in program
        assert program.count(f"c{number}.NewFactory()") == 1
