import pytest
from google.protobuf.message import Message

from pausewatch.sources.cri import answers
from pausewatch.sources.cri._generated import runtime_v1_pb2 as cri


def many(count: int) -> bytes:
    """Return a list of so many empty entries: two bytes each."""
    return b"\x0a\x00" * count


def test_ordinary_answers() -> None:
    """Nothing is lost."""
    listed = cri.ListPodSandboxResponse(items=[cri.PodSandbox(id="a" * 64), cri.PodSandbox()])
    status = cri.ContainerStatusResponse(info={"info": "{}"})

    assert answers.read_list(cri.ListPodSandboxResponse, listed.SerializeToString()) == listed
    assert answers.read_status(cri.ContainerStatusResponse, status.SerializeToString()) == status


def test_list_of_too_many_entries() -> None:
    """Refused before memory is taken for them: 16 MiB of these would take 2 GB."""
    assert len(answers.read_list(cri.ListPodSandboxResponse, many(answers.MOST_ENTRIES)).items) == answers.MOST_ENTRIES
    with pytest.raises(answers.TooLargeError, match="lists more than 10,000 entries"):
        answers.read_list(cri.ListPodSandboxResponse, many(answers.MOST_ENTRIES + 1))
    with pytest.raises(answers.TooLargeError):
        answers.read_list(cri.ListPodSandboxResponse, many(8 << 20))


def test_bytes_that_look_like_entries_and_are_none() -> None:
    """A text of newlines has as many of them; other fields of a later CRI do not count as one either."""
    listed = cri.ListContainersResponse(containers=[cri.Container(id="\n" * 20_000)])
    later = b"\x18\x0a" * 6_000 + b"\x11" + b"\x0a" * 8 + b"\x15" + b"\x0a" * 4

    read = answers.read_list(cri.ListContainersResponse, listed.SerializeToString() + later)
    assert len(read.containers) == 1


def test_status_that_is_too_large() -> None:
    """Its text could take 27 times its size once it is read."""
    most = answers.LARGEST_STATUS_BYTES
    with pytest.raises(answers.TooLargeError, match="2 MiB"):
        answers.read_status(cri.StatusResponse, b"\x0a" * (most + 1))


@pytest.mark.parametrize("read", [answers.read_list, answers.read_status])
@pytest.mark.parametrize("raw", [b"\xff", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x0b", b"\x0a\x01"])
def test_bytes_that_are_no_message(read: object, raw: bytes) -> None:
    """Told as that, however long they are."""
    assert callable(read)
    for one in (raw, raw * 12_000):
        with pytest.raises(answers.UnreadableError, match="is no message of the CRI"):
            read(cri.ListPodSandboxResponse, one)


def test_text_that_is_no_utf8() -> None:
    """Protobuf refuses it for us."""
    kind: type[Message] = cri.VersionResponse
    with pytest.raises(answers.UnreadableError):
        answers.read_status(kind, b"\x12\x01\xff")
