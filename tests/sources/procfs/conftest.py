import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from sources.procfs.fake_proc import FakeProc
from sources.procfs.first_process_reader import OWN_CGROUP


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """Give an empty folder that ordinary users may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def proc(public_folder: Path) -> FakeProc:
    """Give a folder that looks like /proc and holds process 1."""
    return FakeProc(public_folder)


@pytest.fixture
def pod(proc: FakeProc) -> FakeProc:
    """Give a /proc with one container's process, 42."""
    proc.add(42, cgroup=OWN_CGROUP)
    return proc


@pytest.fixture
def mounted_proc() -> Callable[[str], AbstractContextManager[str]]:
    """Give a way to mount another proc file system with options, until the end of a with block."""

    @contextmanager
    def mounted(options: str) -> Iterator[str]:
        folder = Path(tempfile.mkdtemp())
        folder.chmod(0o755)
        subprocess.run(["mount", "-t", "proc", "-o", options, "proc", folder], check=True)
        try:
            yield str(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
            folder.rmdir()

    return mounted
