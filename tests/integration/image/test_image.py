"""What the image holds and does not hold."""

import gzip
import platform
import re
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from integration.image.archive import Archive
from lab.build.agent_image import VERSION, id_of_another_build
from lab.build.buildah import image_id
from lab.build.cache import ensure
from lab.build.wheels import ARCHITECTURES, LOCKS, wheels

REPOSITORY = Path(__file__).parents[3]
PACKAGES = "opt/pausewatch/lib/python3.11/site-packages/"
MOST_COMPRESSED_BYTES = 35 * 10**6
#: Programs with which somebody in the container could make or fetch others: compilers, package managers, shells.
TOOLS = {
    "apt-get",
    "as",
    "bash",
    "busybox",
    "cc",
    "curl",
    "dash",
    "dpkg",
    "gcc",
    "g++",
    "ld",
    "pip",
    "pip3",
    "sh",
    "wget",
}
WRITTEN_BY_PIP = {"INSTALLER", "RECORD", "REQUESTED"}
#: Of byte code (PEP 552): made from a source that is never looked at again.
UNCHECKED_HASH = 0b01


def test_two_builds_of_one_commit_give_one_image(image_archive: Path) -> None:
    """Its id covers every byte and every time of a file, so anybody can verify what was published."""
    assert id_of_another_build(image_archive) == image_id(image_archive)


def test_what_a_node_has_to_pull_is_small(image: Archive, own_layers: tuple[str, ...]) -> None:
    """The layers above the base, as a registry keeps them; the quickest compression is an upper bound of the usual."""
    size = sum(len(gzip.compress(image.layer(name), compresslevel=1)) for name in own_layers)

    assert size <= MOST_COMPRESSED_BYTES


def test_container_starts_as_nobody_without_a_shell(image: Archive) -> None:
    """Root is what a pod has to ask for; signals reach the program itself."""
    assert image.settings["User"] == "65532:65532"
    assert image.settings["Entrypoint"] == ["/opt/pausewatch/bin/pausewatch"]
    assert not image.settings.get("Cmd")


def test_labels_say_what_it_is(image: Archive) -> None:
    """By the names of the OCI image specification (annotations.md)."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    labels = {key.removeprefix("org.opencontainers.image."): value for key, value in image.settings["Labels"].items()}

    assert labels["title"] == project["name"]
    assert labels["version"] == project["version"] == VERSION
    assert labels["licenses"] == project["license"]
    assert {"description", "url", "documentation", "vendor", "revision", "created", "base.name"} <= labels.keys()


def test_nothing_in_it_makes_programs_or_gains_privileges(image: Archive) -> None:
    """The base included: no compiler, package manager or shell; no setuid or setgid file, no file capability."""
    entries = [entry for entry, _ in image.entries(image.layers)]

    assert not [entry.name for entry in entries if PurePosixPath(entry.name).name in TOOLS and not entry.isdir()]
    assert not [entry.name for entry in entries if "/pip/" in f"/{entry.name}/"]
    assert not [entry.name for entry in entries if entry.isreg() and entry.mode & 0o6000]
    assert not [entry.name for entry in entries if "SCHILY.xattr.security.capability" in entry.pax_headers]
    assert not [entry.name for entry in entries if entry.isreg() and entry.mode & 0o002]


def test_packages_are_what_the_locked_wheels_hold(image: Archive, own_layers: tuple[str, ...]) -> None:
    """Nothing is removed, stripped or added: what the lock vouches for is what runs."""
    held = {
        entry.name.removeprefix(PACKAGES): content
        for entry, content in image.entries(own_layers)
        if entry.name.startswith(PACKAGES) and entry.isreg() and not entry.name.endswith(".pyc")
    }
    locked = dict(in_wheels(wheels_of(LOCKS[0])))
    ours = {name for name in held if name.startswith(("pausewatch/", f"pausewatch-{VERSION}.dist-info/"))}

    assert {name: held.get(name) for name in locked} == locked
    assert {PurePosixPath(name).name for name in held.keys() - locked.keys() - ours} == WRITTEN_BY_PIP
    assert {name: held[name] for name in ours if name.startswith("pausewatch/")} == dict(ours_in(image.path))


def test_byte_code_is_there_once_and_never_checked(image: Archive, own_layers: tuple[str, ...]) -> None:
    """Also of the standard library: on a read-only root it would be made anew at every start."""
    entries = dict.fromkeys(entry.name for entry, _ in image.entries(image.layers))
    compiled = {entry.name: content for entry, content in image.entries(own_layers) if entry.name.endswith(".pyc")}
    sources = [name for name in entries if name.endswith(".py") and name.startswith(("usr/lib/python3.11/", PACKAGES))]

    assert {int.from_bytes(content[4:8], "little") for content in compiled.values()} == {UNCHECKED_HASH}
    assert sorted(compiled) == sorted(str(cached(PurePosixPath(name))) for name in sources)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_dependency_has_a_wheel(architecture: str, lock: Path, image_archive: Path) -> None:  # noqa: ARG001
    """For both architectures that are published: nothing is compiled while the image is built."""
    names = {path.name for path in wheels_of(lock, architecture)}

    assert all(name.endswith(("-any.whl", f"{architecture}.whl")) for name in names)
    assert {project(name) for name in names} == locked_projects(lock)


def wheels_of(lock: Path, architecture: str = platform.machine()) -> list[Path]:
    """The wheels of a lock file."""
    names = locked_projects(lock)
    return [path for path in ensure(wheels(architecture)).glob("*.whl") if project(path.name) in names]


def locked_projects(lock: Path) -> set[str]:
    """Names as the lock file writes them."""
    return set(re.findall(r"^([a-z0-9][^=]*)==", lock.read_text(), re.MULTILINE))


def project(wheel: str) -> str:
    """The project's name in a wheel's, as lock files write it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", wheel.partition("-")[0]).lower()


def in_wheels(files: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """What wheels hold, but for commands, and for RECORD, to which the installer adds what it writes."""
    for file in files:
        with zipfile.ZipFile(file) as wheel:
            for name in wheel.namelist():
                if not name.endswith(("/", ".dist-info/RECORD")) and ".data/scripts/" not in name:
                    yield name, wheel.read(name)


def ours_in(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The package's own files, of the copy of the checkout that the archive was built from."""
    root = archive.with_name("context") / "operator"
    for file in root.rglob("*"):
        if file.is_file():
            yield str(file.relative_to(root)), file.read_bytes()


def cached(source: PurePosixPath) -> PurePosixPath:
    """Where the byte code of a source lies (PEP 3147)."""
    return source.parent / "__pycache__" / f"{source.stem}.cpython-311.pyc"
