"""What ``make sbom`` says of the image: every package that is locked for it, by version and hashes."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[3]
SECONDS = 300.0
"""It takes ten of work and some for the package index, from which it installs its tool; a busy machine takes more."""

pytestmark = [pytest.mark.lab, pytest.mark.timeout(SECONDS + 60)]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is written."""
    file = tmp_path_factory.mktemp("sbom") / "new" / "sbom.cdx.json"
    command = ["make", "sbom", f"SBOM={file}"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return told


def test_it_lists_what_is_locked(document: dict[str, Any]) -> None:
    """`test_image.py` holds the image to the same lock."""
    lock = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)
    locked = {
        found[0]: {*re.findall(r"--hash=sha256:([0-9a-f]{64})", entry)}
        for entry in entries
        if (found := re.match(r"[a-z0-9._-]+==[^ \\]+", entry))
    }

    assert len(locked) > 10
    assert {f"{one['name']}=={one['version']}": hashes(one) for one in document["components"]} == locked
    assert document["metadata"]["component"]["name"] == "pausewatch"


def test_the_same_lock_gives_the_same_document(document: dict[str, Any]) -> None:
    """Nothing in it is of this moment, so that it can be compared with that of another build."""
    assert document["bomFormat"] == "CycloneDX"
    assert "serialNumber" not in document
    assert "timestamp" not in document["metadata"]


def hashes(component: dict[str, Any]) -> set[str]:
    """Return the digests that a component may have."""
    references = component["externalReferences"]
    return {digest["content"] for one in references for digest in one.get("hashes", ())}
