"""How to reach the API server: from a kubeconfig or, inside a pod, from the service account's files.

Everything is read anew whenever it is asked for. The kubelet replaces a service account's token before it ends, people
mend a wrong kubeconfig, a CA is rotated: none of that asks for a restart.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from pausewatch.model.availability import Unavailable
from pausewatch.model.text import printable

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where the kubelet puts the files of a pod's service account (Kubernetes: Configure Service Accounts for Pods)."""

HOST_VARIABLE = "KUBERNETES_SERVICE_HOST"
PORT_VARIABLE = "KUBERNETES_SERVICE_PORT"
"""Set in every container; unlike the name kubernetes.default.svc they need no cluster DNS."""

KUBECONFIG_VARIABLE = "KUBECONFIG"
USUAL_KUBECONFIG = Path(".kube/config")
"""Below the home directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An API server and who we are to it. Two equal ones are the same; certificates and keys are PEM."""

    server: str
    """``https://10.96.0.1:443``."""

    authority: str = ""
    """Certificates that sign the server's; empty: those that the machine trusts."""

    verify: bool = True
    token: str = field(default="", repr=False)
    certificate: str = ""
    private_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPlace:
    """Where a Connection is read from."""

    kubeconfig: Path | None
    """None: the service account of this pod."""

    service_account: Path = SERVICE_ACCOUNT
    host: str = ""
    port: str = "443"

    def __str__(self) -> str:
        if self.kubeconfig is None:
            return f"the service account in {self.service_account}"
        return f"the kubeconfig {printable(str(self.kubeconfig))}"


class ConnectionUnusableError(Exception):
    """What was read does not say how to reach an API server; the text says what is wrong and what to do."""


def find_place(
    kubeconfig: Path | None, environment: Mapping[str, str], service_account: Path = SERVICE_ACCOUNT
) -> ConnectionPlace:
    """Return where to read the connection from.

    In this order: the kubeconfig that a flag names, the one that ``KUBECONFIG`` names, the service account of this
    pod, ``~/.kube/config``.
    """
    named = kubeconfig or (Path(environment[KUBECONFIG_VARIABLE]) if environment.get(KUBECONFIG_VARIABLE) else None)
    host = environment.get(HOST_VARIABLE, "")
    if named is None and not host:
        named = Path(environment.get("HOME", "/")) / USUAL_KUBECONFIG
    return ConnectionPlace(
        kubeconfig=named, service_account=service_account, host=host, port=environment.get(PORT_VARIABLE) or "443"
    )


def read_connection(place: ConnectionPlace) -> Connection | Unavailable:
    """Return what the files say now."""
    try:
        if place.kubeconfig is None:
            return in_pod(place.host, place.port, _text(place.service_account, "token"), _authority(place))
        return parse_kubeconfig(place.kubeconfig.read_text(encoding="utf-8"), place.kubeconfig.parent)
    except (OSError, UnicodeDecodeError, ConnectionUnusableError) as error:
        why = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        return Unavailable(
            reason="NoConnection",
            detail=f"{place} does not tell how to reach the API server: {printable(why)}",
            remedy="name a kubeconfig with --kubeconfig, or run in a pod that mounts its service account's token",
        )


def in_pod(host: str, port: str, token: str, authority: str) -> Connection:
    """Return the connection of a pod; an IPv6 host is put in brackets."""
    return Connection(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        authority=authority,
        token=token.strip(),
    )


def parse_kubeconfig(text: str, folder: Path) -> Connection:
    """Return the connection of a kubeconfig's current context (Kubernetes: kubeconfig v1 reference).

    Args:
        text: The file's content.
        folder: What relative paths in it are relative to.

    Raises:
        ConnectionUnusableError: It lacks something, or asks for a login that a daemon can not do.
        OSError: A file that it names could not be read.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConnectionUnusableError(f"no valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ConnectionUnusableError("it is no mapping")
    context = _named(content, "contexts", "context", content.get("current-context"))
    cluster = _named(content, "clusters", "cluster", context.get("cluster"))
    user = _named(content, "users", "user", context.get("user"))
    server = str(cluster.get("server", ""))
    if urlsplit(server).scheme not in ("http", "https"):
        raise ConnectionUnusableError(f"the server {server!r} is no http or https URL")
    if "exec" in user or "auth-provider" in user:
        raise ConnectionUnusableError("its user logs in with another program; use a token or a client certificate")
    return Connection(
        server=server.rstrip("/"),
        authority=_pem(cluster, "certificate-authority", folder),
        verify=not cluster.get("insecure-skip-tls-verify", False),
        token=_token(user, folder),
        certificate=_pem(user, "client-certificate", folder),
        private_key=_pem(user, "client-key", folder),
    )


def _authority(place: ConnectionPlace) -> str:
    return _text(place.service_account, "ca.crt")


def _named(content: Mapping[str, Any], group: str, member: str, name: object) -> Mapping[str, Any]:
    """Return one entry of a kubeconfig's named lists."""
    entries = content.get(group)
    found = [one for one in entries if isinstance(one, dict) and one.get("name") == name] if entries else []
    value = found[0].get(member) if found else None
    if not isinstance(value, dict):
        raise ConnectionUnusableError(f"there is no {member} {name!r} in its {group}")
    return value


def _pem(entry: Mapping[str, Any], key: str, folder: Path) -> str:
    data = entry.get(f"{key}-data")
    if data:
        try:
            return base64.b64decode(str(data), validate=True).decode("ascii")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ConnectionUnusableError(f"{key}-data is no base64 of PEM: {error}") from error
    return _text(folder, str(entry[key])) if entry.get(key) else ""


def _token(user: Mapping[str, Any], folder: Path) -> str:
    # client-go prefers the file as well: it is the one that is renewed.
    if user.get("tokenFile"):
        return _text(folder, str(user["tokenFile"])).strip()
    return str(user.get("token") or "")


def _text(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")
