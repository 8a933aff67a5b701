import pytest

from pausewatch.model.network_pin import NetworkPin, is_pin_name, pin_paths
from support.parts import sandbox_details

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("name", "runtime", "is_one"),
    [
        (f"cni-{UUID}", "containerd", True),
        (f"cni-{UUID}", "cri-o", False),
        (UUID, "cri-o", True),
        (UUID, "containerd", False),
        (f"netns-{UUID}", "containerd", False),
        (f"cni-{UUID.upper()}", "containerd", False),
        (f"cni-{UUID}-old", "containerd", False),
        ("cni-blue", "containerd", False),
        ("cilium-health", "containerd", False),
        ("blue", "cri-o", False),
        ("", "", False),
    ],
)
def test_only_names_of_the_runtime_s_own_pattern(name: str, runtime: str, is_one: bool) -> None:  # noqa: FBT001
    """An administrator's namespace must never be called leaked: somebody would remove it."""
    assert is_pin_name(name, runtime) is is_one


def test_name_is_the_last_component() -> None:
    """It is random, so it tells whose file it is however the directory is spelled."""
    pin = NetworkPin(path=f"/run/netns/cni-{UUID}", inode=1, made_at_seconds=0, processes_inside=None)

    assert pin.name == f"cni-{UUID}"


def test_files_of_a_sandbox() -> None:
    """Those of other kinds of namespaces are not asked for; without a specification nothing is known."""
    assert pin_paths(sandbox_details()) == ("/var/run/netns/cni-web-x",)
    assert pin_paths(sandbox_details(spec_namespaces=())) == ()
    assert pin_paths(sandbox_details(spec_namespaces=None)) is None
