"""The cache: one directory per component, named after everything its content follows from.

A directory is filled under another name and renamed when it is complete, so an interrupted build leaves
nothing that a later one would take for finished.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.progress import say


@dataclass(frozen=True)
class Component:
    """Something that is built or unpacked into a directory of its own.

    Attributes:
        name: What it is, "containerd".
        version: Its pinned version.
        make: Fills the directory it is given; called at most once per key.
        sources: Files whose content decides what comes out, the module that holds the recipe among them.
        needs: Components this one is made from; they are made first, and their keys are part of this key.
    """

    name: str
    version: str
    make: Callable[[Path], None]
    sources: tuple[Path, ...]
    needs: tuple["Component", ...] = ()

    @property
    def key(self) -> str:
        """Name, version and 12 hex digits over all that decides the content."""
        digest = hashlib.sha256()
        for part in (self.name, self.version, platform.machine(), *(need.key for need in self.needs)):
            digest.update(part.encode() + b"\0")
        for source in self.sources:
            digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
        return f"{self.name}-{self.version.replace(':', '.')}-{digest.hexdigest()[:12]}"

    @property
    def directory(self) -> Path:
        """Where it is, once it is made."""
        return cache_root() / self.key


def cache_root() -> Path:
    """Where components are kept: $PAUSEWATCH_CACHE, else pausewatch/ in the user's cache, and lab/ below it."""
    if own := os.environ.get("PAUSEWATCH_CACHE"):
        return Path(own).resolve() / "lab"
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache).resolve() / "pausewatch" / "lab"


def key_of_all(components: Iterable[Component]) -> str:
    """One key over many components, for a CI that keeps the cache."""
    keys = sorted({component.key for component in components})
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:16]


def ensure(component: Component) -> Path:
    """Make the component unless it is there, and return its directory.

    Two processes that want the same one do not build it twice: the second waits for the first.

    Raises:
        BuildError: It could not be made; nothing is left of the attempt but a log in the message.
    """
    if component.directory.is_dir():
        return component.directory
    for need in component.needs:
        ensure(need)
    root = cache_root()
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root / f".{component.key}.lock", component):
        if component.directory.is_dir():
            return component.directory
        began = time.monotonic()
        _sweep(root, component)
        partial = Path(tempfile.mkdtemp(prefix=f".partial-{component.key}-", dir=root))
        try:
            partial.chmod(0o755)
            component.make(partial)
            partial.rename(component.directory)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        say(f"built {component.name} {component.version} ({time.monotonic() - began:.0f} s)")
    return component.directory


def _sweep(root: Path, component: Component) -> None:
    """Remove what a killed build of this component left; the caller holds its lock, so nobody writes there."""
    for left in root.glob(f".partial-{component.key}-*"):
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _locked(path: Path, component: Component) -> Iterator[None]:
    """Hold the component's lock; the file stays, because removing a lock file invites a race over its name."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that builds {component.name} {component.version}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
