import json

import pytest

from pausewatch.model.availability import Unavailable
from pausewatch.model.linux_namespace import NamespaceKind
from pausewatch.model.sandbox import SpecNamespace
from pausewatch.sources.cri.verbose_info import (
    annotation,
    may_gain,
    number,
    parse_info,
    part,
    spec_namespaces,
    text,
)
from sources.cri.recorded import recorded_info


def test_recorded() -> None:
    """The parts that are read are where containerd writes them."""
    info = parse_info({"info": json.dumps(recorded_info("containerd-2.4/web.sandbox"))})

    assert not isinstance(info, Unavailable)
    assert number(info, "pid") == 31622
    assert text(info, "image") == "localhost/pause:1"
    assert annotation(info, "io.kubernetes.cri.container-type") == "sandbox"
    assert may_gain(info, "CAP_SYS_ADMIN") is None


def test_runtime_that_tells_nothing() -> None:
    """No information is no failure: cri-dockerd gives none."""
    assert parse_info({}) == {}
    assert parse_info({"info": ""}) == {}


@pytest.mark.parametrize(
    "specification",
    [None, {}, [], "x"],
)
def test_no_specification(specification: object) -> None:
    """An absent specification is None, which says that nothing is known."""
    assert spec_namespaces({"runtimeSpec": specification}) is None
    assert spec_namespaces({}) is None


@pytest.mark.parametrize("linux", [None, {}, [], {"namespaces": None}, {"namespaces": {"type": "pid"}}])
def test_specification_without_namespaces(linux: object) -> None:
    """A specification without namespaces asks for none."""
    assert spec_namespaces({"runtimeSpec": {"linux": linux, "ociVersion": "1.3.0"}}) == ()


def test_odd_entries_are_left_out() -> None:
    """Entries that are unknown or of an odd type do not hide the good one."""
    entries: list[object] = [
        7,
        None,
        {},
        {"type": []},
        {"type": "mount"},
        {"type": "time"},
        {"type": "user", "path": 5},
    ]

    assert spec_namespaces({"runtimeSpec": {"linux": {"namespaces": entries}}}) == (
        SpecNamespace(kind=NamespaceKind.USER, path=""),
    )


@pytest.mark.parametrize("value", [None, -1, 1.5, "12", True, [], {}])
def test_odd_number(value: object) -> None:
    """What is no natural number is none; true is no process."""
    assert number({"pid": value}, "pid") is None


def test_absent_number() -> None:
    """Go leaves zeros out."""
    assert number({}, "pid") == 0


@pytest.mark.parametrize("value", [None, 7, [], {}])
def test_odd_text(value: object) -> None:
    """What is no text is an empty one."""
    assert text({"image": value}, "image") == ""


def test_part() -> None:
    """A path through objects ends in nothing where one of them is missing or no object."""
    assert part({"a": {"b": {"c": 1}}}, "a", "b") == {"c": 1}
    assert part({"a": {"b": []}}, "a", "b") == {}
    assert part({}, "a", "b") == {}


@pytest.mark.parametrize("bounding", [None, "CAP_SYS_ADMIN", {"CAP_SYS_ADMIN": 1}])
def test_odd_bounding_set(bounding: object) -> None:
    """Only a list is a set of capabilities."""
    info = {"runtimeSpec": {"process": {"capabilities": {"bounding": bounding}}}}

    assert may_gain(info, "CAP_SYS_ADMIN") is False
