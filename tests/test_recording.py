import json
import stat
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pausewatch.model.availability import Unavailable
from pausewatch.model.snapshot import Snapshot
from pausewatch.model.text import printable
from pausewatch.recording import RecordingError, Redaction, parse, read, render, write
from support.builders import a_snapshot

Document = dict[str, Any]

TEXTS = st.text(max_size=12).map(printable)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    int: st.integers(min_value=0, max_value=2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    NoneType: st.none(),
    datetime: st.datetimes(timezones=st.just(UTC)),
}


def values(wanted: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401  a type of any form
    """Return any value of a type of the model."""
    if wanted in PLAIN:
        return PLAIN[wanted]
    if get_origin(wanted) is tuple:
        return st.lists(values(get_args(wanted)[0]), max_size=2).map(tuple)
    if isinstance(wanted, UnionType):
        return st.one_of(*(values(one) for one in get_args(wanted)))
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return st.sampled_from(wanted)
    assert isinstance(wanted, type), wanted
    assert is_dataclass(wanted), wanted
    hints = get_type_hints(wanted)
    return st.builds(wanted, **{field.name: values(hints[field.name]) for field in fields(wanted)})


def document(snapshot: Snapshot | None = None) -> Document:
    """Return a recording of one look as JSON values, to be damaged."""
    value: Document = json.loads(render((snapshot or a_snapshot(),), Redaction.NONE))
    return value


def problem(text: str) -> str:
    """Return why a text is refused."""
    with pytest.raises(RecordingError) as caught:
        parse(text)
    told = str(caught.value)
    assert told.isprintable(), told
    return told


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(look=values(Snapshot))
def test_every_snapshot_comes_back_as_it_was(look: Snapshot) -> None:
    """What is read from a recording is what was recorded, whatever the model's types allow."""
    assert parse(render((look, a_snapshot()), Redaction.NONE)) == (look, a_snapshot())


def test_unavailable_is_never_read_as_empty() -> None:
    """A section that could not be read stays one that could not be read."""
    gone = Unavailable(reason="SocketMissing", detail="no socket", remedy="start the runtime")
    look = a_snapshot(runtime=gone, sandboxes=gone, containers=(), host_links=gone)

    assert parse(render((look,), Redaction.NONE)) == (look,)


def test_recording_tells_what_it_is() -> None:
    """A reader can tell kind, schema and maker without knowing the values."""
    recording = json.loads(render((a_snapshot(),)))

    assert recording["kind"] == "PausewatchRecording"
    assert recording["schemaVersion"] == 3
    assert recording["pausewatchVersion"]
    assert recording["redacted"] is True
    assert document()["redacted"] is False


def test_file_is_private_and_complete(tmp_path: Path) -> None:
    """Only its owner may read it, and nothing else is left in the folder."""
    path = tmp_path / "node.json"
    path.write_text("an older one")

    write(path, (a_snapshot(), a_snapshot()), Redaction.NONE)

    assert read(path) == (a_snapshot(), a_snapshot())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["node.json"]


def test_written_file_is_redacted_unless_said_otherwise(tmp_path: Path) -> None:
    """The safe way needs no flag."""
    write(tmp_path / "node.json", (a_snapshot(node_name="secret-host-9"),))

    assert b"secret-host-9" not in (tmp_path / "node.json").read_bytes()


def test_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    """The message names the path and what to do."""
    with pytest.raises(RecordingError, match=r"can not write .*/gone/node\.json: No such file or directory; write to"):
        write(tmp_path / "gone" / "node.json", (a_snapshot(),))


def test_only_regular_files_are_replaced(tmp_path: Path) -> None:
    """Renaming a file over a device would replace the device."""
    with pytest.raises(
        RecordingError, match=r"is no regular file; write to another path, or to standard output with -"
    ):
        write(tmp_path, (a_snapshot(),))
    with pytest.raises(RecordingError, match=r"/dev/null is no regular file"):
        write(Path("/dev/null"), (a_snapshot(),))


def test_other_schema_names_maker_and_way_out() -> None:
    """A recording of a newer program is no damaged one."""
    newer = document() | {"schemaVersion": 7, "pausewatchVersion": "9.1.0"}

    assert problem(json.dumps(newer)) == (
        "made by pausewatch 9.1.0 with schema 7; this program reads 3: use the version that made it, or a newer one"
    )


@pytest.mark.parametrize("text", ["", "{", render((a_snapshot(),))[:-100], '{"a": NaN}', "[" * 100_000])
def test_truncated_or_damaged_json_is_told(text: str) -> None:
    """Half a file is the usual damage."""
    told = problem(text)

    assert told.startswith("no complete JSON (")
    assert told.endswith("record it again, or copy the whole file")


@pytest.mark.parametrize("text", ["[]", "3", "{}", '{"kind": "PodSandboxReport"}'])
def test_other_json_is_no_recording(text: str) -> None:
    """The output of `scan -o json` is the usual mistake."""
    assert problem(text) == "no recording of pausewatch; make one with: pausewatch record FILE"


@pytest.mark.parametrize("looks", [[], None, {}, "x"])
def test_recording_without_a_look_is_told(looks: object) -> None:
    """There is nothing to judge in it."""
    assert problem(json.dumps(document() | {"looks": looks})) == "holds no look at a node; record it again"


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda look: look["sandboxes"][0].update(id=3), "looks[0].sandboxes[0].id 3 is no text"),
        (lambda look: look["sandboxes"][1].update(state="X"), "sandboxes[1].state 'X' is not a valid SandboxState"),
        (lambda look: look["sandboxes"].append("abc"), "looks[0].sandboxes[2] 'abc' is no object"),
        (lambda look: look.update(sandboxes="abc"), "looks[0].sandboxes 'abc' is no list"),
        (lambda look: look["sandboxes"][0]["details"].update(addresses="ab"), "details.addresses 'ab' is no list"),
        (lambda look: look["sandboxes"][0]["details"].update(pause_pid=True), "pause_pid True is no whole number"),
        (lambda look: look["sandboxes"][0]["details"].update(pause_pid=1.5), "pause_pid 1.5 is no whole number"),
        (lambda look: look["sandboxes"][0]["details"].update(more=1), "[0].details has unknown fields more"),
        (lambda look: look["sandboxes"][0]["details"].pop("image"), "sandboxes[0].details.image is missing"),
        (lambda look: look["containers"][0]["details"].update(may_administer=1), "1 is no true or false"),
        (lambda look: look.update(uptime_seconds="9"), "uptime_seconds '9' is no number"),
        (lambda look: look.update(taken_at="2026-11-21"), "taken_at '2026-11-21' is a time without a time zone"),
        (lambda look: look.update(taken_at="now"), "looks[0].taken_at "),
        (lambda look: look.update(host_links=None), "looks[0].host_links None is no object"),
        (lambda look: look.update(host_links={"unavailable": {"reason": 3}}), "looks[0].host_links"),
        (lambda look: look.update(node_name="\x1b[2J"), "looks[0].node_name '\\\\x1b[2J' holds control characters"),
    ],
)
def test_wrong_value_names_its_path(damage: Callable[[Document], object], why: str) -> None:
    """A value that is nearly right is not guessed at, and control characters never reach a terminal."""
    damaged = document()
    damage(damaged["looks"][0])

    told = problem(json.dumps(damaged))

    assert told.startswith("damaged since pausewatch ")
    assert why in told


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    """The message names the file, whatever is wrong with it."""
    (tmp_path / "compressed").write_bytes(b"\x1f\x8b\x08\x00")
    (tmp_path / "half").write_text("{")

    for name, why in (("gone", "No such file"), ("compressed", "is it compressed?"), ("half", "no complete JSON")):
        with pytest.raises(RecordingError) as caught:
            read(tmp_path / name)
        assert str(caught.value).startswith(f"recording {tmp_path / name}: ")
        assert why in str(caught.value)


def test_looks_keep_their_order() -> None:
    """Growth and persistence need to know which look came first."""
    looks = (a_snapshot(uptime_seconds=10.0), a_snapshot(uptime_seconds=11.0))

    assert [look.uptime_seconds for look in parse(render(looks))] == [10.0, 11.0]
