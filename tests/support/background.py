"""Something that goes on beside a test, in a thread of its own."""

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Background(ABC):
    """Works from the beginning of its context to the end of it; what ended the work too early is kept for the test."""

    def __init__(self, name: str, end_seconds: float) -> None:
        """Prepare.

        Args:
            name: Of the thread.
            end_seconds: For how long the end of the context waits for the work to end.
        """
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._end_seconds = end_seconds
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(self._end_seconds)

    def check(self) -> None:
        """Raise what ended the work."""
        if self._error is not None:
            raise self._error

    @abstractmethod
    def _work(self) -> None:
        """Work until ``_stopping`` is set."""

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  raised again by whoever checks
            self._error = error
