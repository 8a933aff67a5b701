"""What the runtime told about sandboxes or containers, kept while their state is unchanged."""

from collections.abc import Collection, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from pausewatch.model.text import printable


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

_LONGEST_QUOTE = 40

UNSETTLED = -1
"""Stands for the state of a value that must be asked for again: no state of the CRI is negative."""


class ListError(ValueError):
    """A list can not be true; the text says why, to follow the words "a list that"."""


class Memory(Generic[ValueT]):
    """Values by CRI id, each for one state. A warm reading spends its time in ``recall``."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[int, ValueT]] = {}
        self._former: dict[str, tuple[int, ValueT]] = {}

    def recall(self, listed: Iterable[ListedT]) -> list[ListedT]:
        """Keep the values of what is listed in the state it had, forget the others; return what is not known.

        Raises:
            ListError: An entry has no id, or one that is none, or an id is listed twice: which of the two is true can
                not be told, and nothing may be said of what a list lacks that is wrong. Nothing is forgotten.
        """
        known = self._values
        kept: dict[str, tuple[int, ValueT]] = {}
        unknown = []
        again = 0
        for entry in listed:
            identifier = entry.id
            value = known.get(identifier)
            if value is not None and value[0] == entry.state:
                kept[identifier] = value
                again += 1
            else:
                unknown.append(entry)
        _refuse_untrue([entry.id for entry in unknown], kept.keys(), twice=again > len(kept))
        self._values, self._former = kept, known
        return unknown

    def former(self, identifier: str) -> ValueT | None:
        """Return what was known of an entry before the last ``recall``, in whatever state it was then."""
        known = self._former.get(identifier)
        return None if known is None else known[1]

    def learn(self, listed: Listed, value: ValueT, *, settled: bool) -> None:
        """Take in the value of an entry that ``recall`` returned; ask for it again next time unless ``settled``."""
        self._values[listed.id] = (listed.state if settled else UNSETTLED, value)

    def doubt(self, identifier: str) -> None:
        """Ask for a value again next time."""
        if identifier in self._values:
            self._values[identifier] = (UNSETTLED, self._values[identifier][1])

    def values(self) -> tuple[ValueT, ...]:
        """Return all values by id: a runtime lists in random order, and two readings of one node are to be equal."""
        return tuple(value for _, (_, value) in sorted(self._values.items()))


def _refuse_untrue(unknown: Sequence[str], kept: Collection[str], *, twice: bool) -> None:
    """Look at the ids of a list, of which those that were known before have been looked at.

    Raises:
        ListError: see ``Memory.recall``.
    """
    for identifier in unknown:
        # Cut or escaped it would be another one, which the runtime does not know.
        if not identifier or printable(identifier) != identifier:
            raise ListError(f'has an entry with the id "{printable(identifier, _LONGEST_QUOTE)}", which is none')
    if twice or len({*unknown}) < len(unknown) or not {*unknown}.isdisjoint(kept):
        raise ListError("has two entries with one id")
