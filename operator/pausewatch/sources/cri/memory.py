"""What the runtime told about sandboxes or containers, kept while their state is unchanged."""

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar


class Listed(Protocol):
    """An entry of a list of the CRI."""

    @property
    def id(self) -> str:
        """Unique among sandboxes and containers."""

    @property
    def state(self) -> int:
        """The number that the CRI gives the state."""


ListedT = TypeVar("ListedT", bound=Listed)
ValueT = TypeVar("ValueT")

UNSETTLED = -1
"""Stands for the state of a value that must be asked for again: no state of the CRI is negative."""


class Memory(Generic[ValueT]):
    """Values by CRI id, each for one state. A warm reading spends its time in ``recall``."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[int, ValueT]] = {}
        self._former: dict[str, tuple[int, ValueT]] = {}

    def recall(self, listed: Iterable[ListedT]) -> list[ListedT]:
        """Keep the values of what is listed in the state it had, forget the others; return what is not known."""
        known = self._values
        kept: dict[str, tuple[int, ValueT]] = {}
        unknown = []
        for entry in listed:
            identifier = entry.id
            value = known.get(identifier)
            if value is not None and value[0] == entry.state:
                kept[identifier] = value
            else:
                unknown.append(entry)
        self._values, self._former = kept, known
        return unknown

    def former(self, identifier: str) -> ValueT | None:
        """Return what was known of an entry before the last ``recall``, in whatever state it was then."""
        known = self._former.get(identifier)
        return None if known is None else known[1]

    def learn(self, listed: Listed, value: ValueT, *, settled: bool) -> None:
        """Take in the value of an entry that ``recall`` returned; ask for it again next time unless ``settled``."""
        self._values[listed.id] = (listed.state if settled else UNSETTLED, value)

    def values(self) -> tuple[ValueT, ...]:
        """Return all values by id: a runtime lists in random order, and two readings of one node are to be equal."""
        return tuple(value for _, (_, value) in sorted(self._values.items()))
