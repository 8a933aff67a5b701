"""Two images to build others from, out of Debian packages that are unpacked: there is no registry to pull any from.

They stand for what the Dockerfile names by default. `RUNTIME_BASE` holds the packages of distroless' python3-debian12
(GoogleContainerTools/distroless: base, cc and python3 in their BUILD files): an interpreter without byte code, no
shell, no pip. `BUILD_BASE` adds pip and a shell.
"""

import shutil
from pathlib import Path

from lab.build.buildah import Buildah
from lab.build.cache import Component
from lab.build.tools import need_tools, run_build_step
from lab.errors import BuildError
from lab.progress import say

RUNTIME_BASE = "localhost/python-base:bookworm"
BUILD_BASE = "localhost/python-build:bookworm"

_RUNTIME_PACKAGES = (
    "base-files", "ca-certificates", "libbz2-1.0", "libc6", "libcom-err2", "libcrypt1", "libdb5.3", "libexpat1",
    "libffi8", "libgcc-s1", "libgomp1", "libgssapi-krb5-2", "libk5crypto3", "libkeyutils1", "libkrb5-3",
    "libkrb5support0", "liblzma5", "libncursesw6", "libnsl2", "libpython3.11-minimal", "libpython3.11-stdlib",
    "libreadline8", "libsqlite3-0", "libssl3", "libstdc++6", "libtinfo6", "libtirpc3", "libuuid1", "netbase",
    "python3-distutils", "python3.11-minimal", "tzdata", "zlib1g",
)  # fmt: skip
_BUILD_PACKAGES = (
    "coreutils", "dash", "libacl1", "libattr1", "libgmp10", "libpcre2-8-0", "libselinux1", "python3-lib2to3",
    "python3-pip", "python3-pkg-resources", "python3-setuptools", "python3-wheel",
)  # fmt: skip
_USERS = "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"
_GROUPS = "root:x:0:\nnonroot:x:65532:\n"


def image_base() -> Component:
    """runtime.tar and build.tar: `RUNTIME_BASE` and `BUILD_BASE` as docker-archives."""
    sources = (Path(__file__), Path(__file__).with_name("buildah.py"))
    return Component("image-base", "bookworm", _make, sources)


def _make(target: Path) -> None:
    tree = target / "tree"
    tree.mkdir()
    _unpack(_RUNTIME_PACKAGES, tree)
    _configure(tree)
    with Buildah.in_directory(target / "store") as buildah:
        buildah.image_of_tree(tree, RUNTIME_BASE, target / "runtime.tar")
        _unpack(_BUILD_PACKAGES, tree)
        buildah.image_of_tree(tree, BUILD_BASE, target / "build.tar")
    shutil.rmtree(tree)


def _unpack(packages: tuple[str, ...], tree: Path) -> None:
    """Unpack the newest version of packages that apt offers; which that is decides no test."""
    need_tools({"dpkg-deb": "dpkg"})
    what = f"{len(packages)} Debian packages"
    download = ["apt-get", "download", "-o", "APT::Sandbox::User=root", *packages]
    say(f"downloading {what}")
    try:
        run_build_step(what, download, cwd=tree)
    except BuildError:
        run_build_step("package lists", ["apt-get", "update"])
        run_build_step(what, download, cwd=tree)
    for package in sorted(tree.glob("*.deb")):
        run_build_step(package.name, ["dpkg-deb", "--extract", package, tree])
        package.unlink()


def _configure(tree: Path) -> None:
    """Do what the packages' own scripts would: no script of a package is ever run."""
    (tree / "usr/bin/python3").symlink_to("python3.11")
    (tree / "etc/passwd").write_text(_USERS)
    (tree / "etc/group").write_text(_GROUPS)
    certificates = sorted((tree / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = tree / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_text("".join(one.read_text() for one in certificates))
    (tree / "tmp").mkdir(exist_ok=True)
    (tree / "tmp").chmod(0o1777)
