"""What every shape has in common: it was started, and somebody has to stop it."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Started(ABC):
    """As a context manager it is stopped in the end, also when what used it failed."""

    @abstractmethod
    def stop(self) -> None:
        """Remove everything it left on the machine."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
