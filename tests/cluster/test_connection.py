import base64
from pathlib import Path

import pytest
import yaml

from pausewatch.cluster.connection import (
    Connection,
    ConnectionPlace,
    ConnectionUnusableError,
    find_place,
    in_pod,
    parse_kubeconfig,
    read_connection,
)
from pausewatch.model.availability import Unavailable

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def kubeconfig(cluster: dict[str, object] | None = None, user: dict[str, object] | None = None) -> str:
    """Return a kubeconfig with a token, changed where said."""
    return yaml.safe_dump(
        {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "one", "user": "agent"}}],
            "clusters": [{"name": "one", "cluster": {"server": "https://192.0.2.1:6443/"} | (cluster or {})}],
            "users": [{"name": "agent", "user": {"token": "secret"} if user is None else user}],
        }
    )


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """Return a folder with the files of a service account."""
    (tmp_path / "token").write_text("first\n")
    (tmp_path / "ca.crt").write_text(PEM)
    return tmp_path


def test_flag_beats_variable_beats_service_account_beats_home() -> None:
    """In a pod with a kubeconfig that somebody mounted and named, that one is meant."""
    pod = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443", "HOME": "/home/a"}
    flag = Path("/flag")

    assert find_place(flag, pod | {"KUBECONFIG": "/variable"}).kubeconfig == flag
    assert find_place(None, pod | {"KUBECONFIG": "/variable"}).kubeconfig == Path("/variable")
    assert find_place(None, pod).kubeconfig is None
    assert find_place(None, {"HOME": "/home/a"}).kubeconfig == Path("/home/a/.kube/config")


def test_rotated_token_is_read_again(account: Path) -> None:
    """The kubelet replaces it long before it ends; nobody has to restart the agent."""
    place = ConnectionPlace(kubeconfig=None, service_account=account, host="10.96.0.1")
    before = read_connection(place)
    (account / "token").write_text("second")
    after = read_connection(place)

    assert before == Connection(server="https://10.96.0.1:443", authority=PEM, token="first")  # noqa: S106  of a test
    assert isinstance(after, Connection)
    assert after.token == "second"  # noqa: S105  of a test


def test_ipv6_host_is_put_in_brackets() -> None:
    """Kubernetes gives the address without them."""
    assert in_pod("fd00::1", "443", "t", "").server == "https://[fd00::1]:443"


def test_missing_file_is_told_with_its_name(tmp_path: Path) -> None:
    """What is missing, and two ways out."""
    found = read_connection(ConnectionPlace(kubeconfig=None, service_account=tmp_path, host="10.96.0.1"))

    assert isinstance(found, Unavailable)
    assert found.reason == "NoConnection"
    assert str(tmp_path / "token") in found.detail
    assert "--kubeconfig" in found.remedy


def test_secrets_are_not_shown() -> None:
    """A Connection may end up in a log."""
    shown = repr(Connection(server="https://192.0.2.1", token="secret", private_key="key"))  # noqa: S106  of a test

    assert "secret" not in shown
    assert "key" not in shown.replace("private_key", "")


def test_kubeconfig_with_everything_inside() -> None:
    """Certificates in base64, as most tools write them."""
    data = base64.b64encode(PEM.encode()).decode()
    text = kubeconfig({"certificate-authority-data": data}, {"client-certificate-data": data, "client-key-data": data})

    assert parse_kubeconfig(text, Path("/")) == Connection(
        server="https://192.0.2.1:6443", authority=PEM, certificate=PEM, private_key=PEM
    )


def test_kubeconfig_that_names_files(tmp_path: Path) -> None:
    """Relative to the kubeconfig; a token's file is stronger than a token beside it."""
    (tmp_path / "ca.pem").write_text(PEM)
    (tmp_path / "token").write_text("renewed\n")
    text = kubeconfig({"certificate-authority": "ca.pem"}, {"token": "old", "tokenFile": str(tmp_path / "token")})

    found = parse_kubeconfig(text, tmp_path)

    assert (found.authority, found.token) == (PEM, "renewed")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is no mapping"),
        ("{", "no valid YAML"),
        ("current-context: x", "there is no context 'x' in its contexts"),
        (kubeconfig({"server": "192.0.2.1"}), "is no http or https URL"),
        (kubeconfig({"certificate-authority-data": "%"}), "no base64 of PEM"),
        (kubeconfig(user={"exec": {"command": "aws"}}), "logs in with another program"),
    ],
)
def test_unusable_kubeconfig_is_told(text: str, why: str) -> None:
    """What is wrong in it, in words."""
    with pytest.raises(ConnectionUnusableError, match=why):
        parse_kubeconfig(text, Path("/"))


def test_mended_kubeconfig_is_found(tmp_path: Path) -> None:
    """It is read at each request."""
    place = ConnectionPlace(kubeconfig=tmp_path / "config")
    (tmp_path / "config").write_text("{}")
    before = read_connection(place)
    (tmp_path / "config").write_text(kubeconfig())
    after = read_connection(place)

    assert isinstance(before, Unavailable)
    assert isinstance(after, Connection)
