from pathlib import Path

import pytest

from contracts.regenerate_cri import COMMAND, GENERATED, generate


@pytest.mark.parametrize("name", ["runtime_v1_pb2.py", "runtime_v1_pb2.pyi"])
def test_generated_messages_match_their_definition(name: str, tmp_path: Path) -> None:
    """The committed messages are what the definition gives; if not, the failure says which command to run."""
    generate(tmp_path)

    assert (GENERATED / name).read_text() == (tmp_path / name).read_text(), f"out of date, run: {COMMAND}"
