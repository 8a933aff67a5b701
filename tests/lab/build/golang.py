"""Commands built from Go modules. The modules in go/ hold no source: they pin what is built."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab.build.cache import Component
from lab.build.tools import install_packages, need_tools, run_build_step
from lab.errors import BuildError
from lab.pins import GO_MODULES

_MODULES = Path(__file__).parents[1] / "go"


@dataclass(frozen=True)
class _Recipe:
    module: str  # its directory below go/
    packages: tuple[str, ...]  # import paths of the commands
    tags: str = ""
    cgo: bool = False
    command: str = ""  # what the one command is called, where its import path does not end with that
    variables: tuple[str, ...] = ()  # what the linker sets, "import/path.name=value"


_CONTAINERD = "github.com/containerd/containerd/v2"
_RUNC = "github.com/opencontainers/runc"
_KUBERNETES = "k8s.io/kubernetes"
_ETCD = "go.etcd.io/etcd/server/v3"


def containerd() -> Component:
    """containerd, its shim and ctr, below bin/."""
    commands = ("containerd", "containerd-shim-runc-v2", "ctr")
    packages = tuple(f"{_CONTAINERD}/cmd/{command}" for command in commands)
    return _component("go-containerd", GO_MODULES[_CONTAINERD], _Recipe("containerd", packages))


def runc() -> Component:
    """The command runc with seccomp, as distributions build it, below bin/. Its first steps are in C."""
    return _component("go-runc", GO_MODULES[_RUNC], _Recipe("runc", (_RUNC,), tags="seccomp", cgo=True))


def kubernetes(command: str) -> Component:
    """One command of Kubernetes, below bin/: "kubelet"."""
    version = GO_MODULES[_KUBERNETES]
    major, minor, _ = version.split(".")
    # The sources say "v0.0.0-master"; kubectl and API server compare these to tell how far apart they are.
    stamp = (
        f"k8s.io/component-base/version.gitVersion=v{version}",
        f"k8s.io/component-base/version.gitMajor={major}",
        f"k8s.io/component-base/version.gitMinor={minor}",
        f"k8s.io/client-go/pkg/version.gitVersion=v{version}",
    )
    package = f"{_KUBERNETES}/cmd/{command}"
    return _component(f"go-{command}", version, _Recipe("kubernetes", (package,), variables=stamp))


def etcd() -> Component:
    """The server of etcd, below bin/."""
    return _component("go-etcd", GO_MODULES[_ETCD], _Recipe("etcd", (_ETCD,), command="etcd"))


def _component(name: str, version: str, recipe: _Recipe) -> Component:
    module = _MODULES / recipe.module
    return Component(
        name,
        version,
        partial(_build, f"{name} {version}", recipe),
        sources=(Path(__file__), module / "go.mod", module / "go.sum"),
    )


def _build(what: str, recipe: _Recipe, target: Path) -> None:
    need_tools({"go": "golang-go"} | ({"gcc": "gcc", "pkg-config": "pkg-config"} if recipe.cgo else {}))
    if recipe.cgo:
        _need_seccomp(what)
    linker = " ".join(("-s -w", *(f"-X {variable}" for variable in recipe.variables)))
    for package in recipe.packages:
        command = recipe.command or package.rsplit("/", 1)[1]
        run_build_step(
            what,
            # -mod=readonly: what go.sum does not know is an error, never a quiet download of something newer.
            [
                *("go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", f"-tags={recipe.tags}"),
                *(f"-ldflags={linker}", "-o", target / "bin" / command, package),
            ],
            cwd=_MODULES / recipe.module,
            env={"CGO_ENABLED": "1" if recipe.cgo else "0"},
        )


def _need_seccomp(what: str) -> None:
    try:
        run_build_step(what, ["pkg-config", "--exists", "libseccomp"])
    except BuildError:
        install_packages(["libseccomp-dev", "libc6-dev"])
