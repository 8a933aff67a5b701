"""The parts of the lab that need neither root nor a runtime."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.build.cache import Component, cache_root, ensure
from lab.build.tools import run_build_step
from lab.cri.generate import generate
from lab.errors import BuildError, LabError, WaitTimeoutError
from lab.oci.edit_bundle import edit
from lab.output import output_of
from lab.pins import GO_MODULES
from lab.places import Places
from lab.waiting import wait_until

_LAB = Path(__file__).parents[2] / "lab"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAUSEWATCH_CACHE", str(tmp_path / "cache"))


def test_command_is_fed_and_its_output_returned(tmp_path: Path) -> None:
    """By a text or by a file; without either it reads nothing."""
    (tmp_path / "file").write_text("of a file")
    with (tmp_path / "file").open("rb") as file:
        assert output_of(["cat"], 10, stdin=file) == "of a file"
    assert output_of(["cat"], 10, stdin="a text") == "a text"
    assert output_of(["cat"], 10) == ""
    assert output_of(["env"], 10, environment={"ONLY": "this"}) == "ONLY=this\n"


def test_command_that_fails_or_hangs_is_named() -> None:
    """With what it wrote to standard error, or with the limit."""
    with pytest.raises(LabError, match=r"^sh -c echo no >&2; exit 3 ended with 3: no$"):
        output_of(["sh", "-c", "echo no >&2; exit 3"], 10)
    with pytest.raises(LabError, match=r"^a long sleep: not done after 0\.2 s$"):
        output_of(["sleep", "60"], 0.2, name="a long sleep")


def test_wait_that_runs_out_names_what_it_waited_for() -> None:
    """The limit ends it, and the text says what was missing."""
    began = time.monotonic()

    with pytest.raises(WaitTimeoutError, match=re.escape("waited 0.1 s for the moon, in vain")):
        wait_until("the moon", lambda: None, 0.1)

    assert time.monotonic() - began < 1


def test_wait_returns_what_the_probe_says() -> None:
    """The answer is passed on, so that nobody has to ask twice."""
    answers = iter([None, 0, 7])

    assert wait_until("seven", lambda: next(answers), 5) == 7


def test_wait_asks_less_often_what_takes_longer() -> None:
    """A probe that takes 50 ms is left alone for 100: ten questions in a row would keep a processor to themselves."""
    asked = []

    def probe() -> None:
        asked.append(time.monotonic())
        time.sleep(0.05)

    with pytest.raises(WaitTimeoutError):
        wait_until("the moon", probe, 0.5)

    assert len(asked) <= 5


def test_component_is_made_once(tmp_path: Path) -> None:
    """The second time it is found in the cache."""
    made = []

    def make(target: Path) -> None:
        made.append(target)
        (target / "content").write_text("x")

    component = Component("thing", "1", make, sources=())

    assert (ensure(component) / "content").read_text() == "x"
    assert ensure(component).is_relative_to(tmp_path)
    assert len(made) == 1


def test_failed_build_leaves_nothing_to_be_taken_for_finished() -> None:
    """What an interrupted build has written is gone, and the next one starts anew."""

    def interrupted(target: Path) -> None:
        (target / "half").write_text("x")
        raise KeyboardInterrupt

    component = Component("thing", "1", interrupted, sources=())
    with pytest.raises(KeyboardInterrupt):
        ensure(component)

    assert not component.directory.exists()
    assert not [entry for entry in cache_root().iterdir() if entry.is_dir()]


def test_remains_of_a_killed_build_are_swept() -> None:
    """A directory that a killed process left does not stay for ever."""
    component = Component("thing", "1", lambda target: (target / "content").touch(), sources=())
    left = cache_root() / f".partial-{component.key}-killed"
    left.mkdir(parents=True)

    ensure(component)

    assert not left.exists()


def test_key_follows_from_what_decides_the_content(tmp_path: Path) -> None:
    """Version, sources and needs all change it."""
    source = tmp_path / "source.c"
    source.write_text("one")

    def key(version: str = "1", needs: tuple[Component, ...] = ()) -> str:
        return Component("thing", version, lambda _: None, sources=(source,), needs=needs).key

    first, keys = key(), {key(), key(version="2"), key(needs=(Component("other", "1", lambda _: None, ()),))}
    source.write_text("two")

    assert len(keys | {key()}) == 4
    source.write_text("one")
    assert key() == first


def test_failed_build_step_ends_with_its_log() -> None:
    """The error says what failed and what it printed last."""
    with pytest.raises(BuildError, match=r"(?s)thing: sh -c .* ended with 3.*no such luck"):
        run_build_step("thing", ["sh", "-c", "echo no such luck; exit 3"])


@pytest.mark.parametrize("module", sorted(GO_MODULES))
def test_go_modules_are_pinned_as_the_pins_say(module: str) -> None:
    """The Go tool reads go.mod, the lab reads pins.py: they have to agree."""
    text = "\n".join(path.read_text() for path in (_LAB / "go").glob("*/go.mod"))

    assert re.search(rf"{re.escape(module)} v{re.escape(GO_MODULES[module])}\b", text)


def test_generated_code_is_what_the_proto_says(tmp_path: Path) -> None:
    """`python -m lab.cri.generate` was run after the last change."""
    generate(tmp_path)

    for suffix in (".py", ".pyi"):
        name = f"lab/cri/lab_cri_pb2{suffix}"
        assert (tmp_path / name).read_text() == (_LAB.parent / name).read_text()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"type": "network", "do": "fresh"}, [{"type": "pid"}, {"type": "network"}]),
        ({"type": "network", "do": "host"}, [{"type": "pid"}]),
        ({"type": "network", "do": "join", "path": "/b"}, [{"type": "pid"}, {"type": "network", "path": "/b"}]),
        ({"type": "uts", "do": "fresh"}, [{"type": "pid"}, {"type": "network", "path": "/a"}, {"type": "uts"}]),
    ],
)
def test_edit_bundle(fault: dict[str, str], expected: list[dict[str, str]]) -> None:
    """Only the namespace of the fault's type changes."""
    spec = {"linux": {"namespaces": [{"type": "pid"}, {"type": "network", "path": "/a"}]}}

    edit(spec, fault)

    assert spec["linux"]["namespaces"] == expected


@pytest.mark.parametrize(("do", "kept"), [("host", False), ("fresh", True)])
def test_mappings_of_users_go_with_their_namespace(do: str, kept: bool) -> None:  # noqa: FBT001  a table of cases
    """A container without one may have none; a new one needs them."""
    mappings = [{"containerID": 0, "hostID": 65536, "size": 65536}]
    linux = {"namespaces": [{"type": "user", "path": "/a"}], "uidMappings": mappings, "gidMappings": mappings}

    edit({"linux": linux}, {"type": "user", "do": do})

    assert ("uidMappings" in linux, "gidMappings" in linux) == (kept, kept)


@pytest.mark.parametrize("name", ["", "../up", "UPPER", "x" * 33, "a b", "-a", "a/", "a/b/c", "a/../b"])
def test_lab_names_are_plain(name: str) -> None:
    """A name becomes a path, a cgroup and part of a socket's path."""
    with pytest.raises(LabError, match="not a name"):
        Places(name)


def test_further_node_lies_inside_its_cluster() -> None:
    """Its places are below those of the cluster, which is known by its own name."""
    node = Places("cluster/node-b")

    assert node.outermost == Places("cluster")
    assert (node.nested_node, Places("cluster").nested_node) == ("node-b", "")
    assert node.run.is_relative_to(Places("cluster").run)
    assert node.state.is_relative_to(Places("cluster").state)


def test_start_that_was_interrupted_at_once_leaves_nothing() -> None:
    """Not even the directory that carried its lock."""
    places = Places("interrupted-at-once")

    def start() -> None:
        with places.locked():
            assert places.run.exists()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start()
    assert not places.run.exists()


def test_help_has_examples() -> None:
    """The command line explains itself."""
    command = [sys.executable, "-m", "lab", "--help"]
    text = subprocess.run(command, cwd=_LAB.parent, check=True, capture_output=True, text=True).stdout

    assert "python -m lab start containerd-2.4" in text
    assert "Examples:" in text
