"""How long what we store may become, and how text is cut to fit.

The schema of the PodSandboxReport carries the same numbers as ``maxLength`` and ``maxItems``: the API server rejects
a whole report for one string that is too long. Lengths are bytes of UTF-8, so they hold for the schema, which counts
characters, as well as for the size of the object.
"""

import json
from collections.abc import Iterable
from hashlib import sha256

FINDINGS = 20
"""Findings stored per node. Past twenty, people read the first ones and count the rest."""

FINDINGS_BYTES = 48 * 1024
"""JSON of all stored findings with what the API server notes about them, so that the stored object stays under 64 KiB
whatever they hold: everything else is at most 15 KiB. Reached only with the longest names and messages; an ordinary
finding is about 1 KiB, and the notes half of that."""

NOTED_FIELDS_BYTES = 320
"""Names of a finding's fields, which the API server keeps for each of them in ``metadata.managedFields`` (Kubernetes:
Server-Side Apply, field management); its id comes on top."""

SKIPPED_CHECKS = 64
"""More than there are checks."""

EVIDENCE = 8
NEXT_COMMANDS = 5

MESSAGE = 1024
"""The same as the ``note`` of an Event, so that one text fits both (k8s.io/api/events/v1, Event.note)."""

EVIDENCE_NAME = 63
EVIDENCE_VALUE = 256
"""Fits a path or a list of some processes; the same as the longest text kept from a node."""

COMMAND = 1024
"""Fits every command with the longest names, also where one stands in it twice. A longer one is left out: a cut command
may do something else."""

NAME = 253
"""Of a node or pod: a DNS subdomain (Kubernetes, object names)."""

NAMESPACE = 63
"""A DNS label (Kubernetes, object names)."""

CONTAINER = 80
"""A DNS label, with ``#attempt``."""

IDENTIFIER = 128
"""A uid or CRI id: 36 and 64 characters, but a static pod's uid may be any string of its manifest."""

FINDING_ID = 512
"""Fits a check, the longest names, and what tells findings apart."""

REASON = 128
SHORT_TEXT = 256
"""Name and version of the runtime, image names, URLs."""

ELLIPSIS = "…"
DIGEST_LENGTH = 12


def cut(text: str, limit: int) -> str:
    """Return ``text`` in at most ``limit`` bytes of UTF-8; cut text ends in an ellipsis."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    return raw[: limit - len(ELLIPSIS.encode())].decode(errors="ignore") + ELLIPSIS


def cut_id(text: str, limit: int = FINDING_ID) -> str:
    """Return an id in at most ``limit`` bytes; cut ids end in a digest of the whole, so that they stay different.

    Findings are a map by id: two equal ids make the API server reject the whole report.
    """
    raw = text.encode()
    if len(raw) <= limit:
        return text
    digest = sha256(raw).hexdigest()[:DIGEST_LENGTH]
    return raw[: limit - len(digest) - 1].decode(errors="ignore") + "~" + digest


def noted_bytes(finding_id: str) -> int:
    """Return how many bytes of ``managedFields`` a finding takes: its id stands there as JSON within JSON."""
    return NOTED_FIELDS_BYTES + len(json.dumps(json.dumps(finding_id, ensure_ascii=False), ensure_ascii=False).encode())


def fitting(sizes: Iterable[int], count: int = FINDINGS, total: int = FINDINGS_BYTES) -> int:
    """Return how many items from the start are kept: at most ``count``, and at most ``total`` bytes together."""
    kept = used = 0
    for size in sizes:
        used += size
        if kept == count or used > total:
            break
        kept += 1
    return kept
