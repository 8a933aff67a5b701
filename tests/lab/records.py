"""What a running lab writes down about itself, for the next start, `attach` and `stop`."""

import json
from dataclasses import asdict, dataclass

from lab.errors import LabError
from lab.places import Places
from lab.processes import Process


@dataclass(frozen=True)
class Record:
    """Who runs in a lab.

    Attributes:
        shape: What kind of lab it is, "runtime".
        version: Which runtime, a name in `lab.pins.RUNTIME_VERSIONS`.
        containerd: The runtime's process.
        owner: The process that stops the lab when it ends; None when the lab was left running on purpose.
    """

    shape: str
    version: str
    containerd: Process
    owner: Process | None


def write_record(places: Places, record: Record) -> None:
    """Write it down."""
    places.record.write_text(json.dumps(asdict(record)))


def read_record(places: Places) -> Record | None:
    """What was written; None when no lab of this name has come so far.

    Raises:
        LabError: The file is not one of ours.
    """
    try:
        document = json.loads(places.record.read_text())
        owner = document["owner"]
        return Record(
            shape=document["shape"],
            version=document["version"],
            containerd=Process(**document["containerd"]),
            owner=Process(**owner) if owner else None,
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise LabError(f"{places.record} is damaged: {error!r}") from error
