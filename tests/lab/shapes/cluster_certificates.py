"""Who is who in a cluster: one certificate authority, a certificate per component, kubeconfigs made of them."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError

#: Days a certificate is good for. A lab lives for minutes; this leaves room for one that is forgotten over a month.
_DAYS = 40

_REQUEST = """\
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
{organisation}CN = {common_name}
[extensions]
subjectKeyIdentifier = hash
{extensions}
"""
_AUTHORITY = "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign, digitalSignature"
_LEAF = (
    "basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\n"
    "authorityKeyIdentifier = keyid\nextendedKeyUsage = {usage}"
)


@dataclass(frozen=True)
class Certificates:
    """The certificates of one cluster, as files NAME.crt and NAME.key.

    Attributes:
        directory: Holds them.
        server: URL of the API server, for the kubeconfigs.
    """

    directory: Path
    server: str

    def certificate(self, name: str) -> Path:
        """The file of a certificate, "ca" for the authority's."""
        return self.directory / f"{name}.crt"

    def key(self, name: str) -> Path:
        """The file of a private key."""
        return self.directory / f"{name}.key"

    def make_authority(self) -> None:
        """Make the authority that signs all others. Raises LabError when openssl fails."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._make("ca", _REQUEST.format(organisation="", common_name="lab", extensions=_AUTHORITY))

    def make_server(self, name: str, alternatives: str) -> None:
        """Make a server's certificate.

        Args:
            name: Of the files, and its common name.
            alternatives: What it is reached at, "IP:198.18.0.2,DNS:kubernetes".
        """
        extensions = f"{_LEAF.format(usage='serverAuth')}\nsubjectAltName = {alternatives}"
        self._make_signed(name, _REQUEST.format(organisation="", common_name=name, extensions=extensions))

    def make_client(self, name: str, user: str, group: str = "") -> Path:
        """Make a client's certificate and the kubeconfig that uses it, and return the latter.

        Args:
            name: Of the files.
            user: Its user for the API server.
            group: Its one group, if any.
        """
        organisation = f"O = {group}\n" if group else ""
        extensions = _LEAF.format(usage="clientAuth")
        self._make_signed(name, _REQUEST.format(organisation=organisation, common_name=user, extensions=extensions))
        credentials = {"client-certificate": str(self.certificate(name)), "client-key": str(self.key(name))}
        return self.write_kubeconfig(name, credentials)

    def kubeconfig(self, name: str) -> Path:
        """The file of a kubeconfig."""
        return self.directory / f"{name}.kubeconfig"

    def write_kubeconfig(self, name: str, credentials: dict[str, str]) -> Path:
        """Write a kubeconfig with these credentials, called as in its section "user"."""
        cluster = {"server": self.server, "certificate-authority": str(self.certificate("ca"))}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": cluster}],
            "users": [{"name": name, "user": credentials}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": name}}],
            "current-context": "lab",
        }
        path = self.kubeconfig(name)
        path.touch(mode=0o600)
        path.write_text(json.dumps(document, indent=1))
        return path

    def _make_signed(self, name: str, request: str) -> None:
        self._make(name, request, "-CA", str(self.certificate("ca")), "-CAkey", str(self.key("ca")))

    def _make(self, name: str, request: str, *signed_by: str) -> None:
        # Elliptic curves: a key of this kind is made in a millisecond, an RSA key takes up to a second.
        command = (
            *("openssl", "req", "-x509", "-config", "/dev/stdin", "-days", str(_DAYS), "-nodes"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-keyout", str(self.key(name)), "-out", str(self.certificate(name)), *signed_by),
        )
        done = subprocess.run(command, input=request, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode:
            raise LabError(f"openssl could not make the certificate {name}: {done.stderr.strip()}")
