"""What must not be shipped."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("client", ["kubernetes", "kubernetes-asyncio", "pykube-ng"])
def test_no_client_library_that_kopf_would_import(client: str) -> None:
    """To be installed is enough to cost 18 MiB and more on every node: docs/decisions/0001-which-client-writes.md."""
    assert not re.search(rf"^{client}==", (REPOSITORY / "requirements.lock").read_text(), re.MULTILINE)
