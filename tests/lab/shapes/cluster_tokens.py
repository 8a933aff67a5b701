"""Tokens of service accounts that end when a test wants it.

The API server itself issues none for less than ten minutes (Kubernetes: TokenRequest, spec.expirationSeconds).
"""

import base64
import json
import subprocess
import time
from pathlib import Path

from lab.errors import LabError

#: For so long after its end the API server still takes a token (go-jose: jwt.DefaultLeeway).
_LEEWAY_SECONDS = 60
_NUMBER_BYTES = 32


def shortened(token: str, key: Path, seconds: float) -> str:
    """Return a token that says the same, signed by the same key, and is refused after so many seconds.

    What the API server has just accepted it takes for up to ten seconds more without looking
    (kube-apiserver: the cache of its token authenticator).

    Args:
        token: As the API server issued it, ES256.
        key: The private key that it signs tokens with, of the curve P-256.
        seconds: From now.

    Raises:
        LabError: openssl fails.
    """
    header, claims, _ = token.split(".")
    shorter = json.loads(_decode(claims)) | {"exp": int(time.time() + seconds - _LEEWAY_SECONDS)}
    text = f"{header}.{_encode(json.dumps(shorter).encode())}"
    return f"{text}.{_encode(_sign(text.encode(), key))}"


def _sign(text: bytes, key: Path) -> bytes:
    """Both numbers of the signature, one behind the other (RFC 7518, 3.4); openssl gives them in ASN.1."""
    command = ("openssl", "dgst", "-sha256", "-sign", str(key))
    done = subprocess.run(command, input=text, capture_output=True, timeout=30, check=False)
    if done.returncode:
        raise LabError(f"openssl could not sign a token: {done.stderr.decode().strip()}")
    first_length = done.stdout[3]
    numbers = (done.stdout[4 : 4 + first_length], done.stdout[6 + first_length :])
    return b"".join(int.from_bytes(number).to_bytes(_NUMBER_BYTES) for number in numbers)


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
