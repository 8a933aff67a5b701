"""What can go wrong in the lab: one base class, one subclass per thing a caller would treat differently."""


class LabError(Exception):
    """The lab cannot do what was asked; the text says what failed and what was seen."""


class BuildError(LabError):
    """A component could not be built or unpacked; the text ends with the last lines of its log."""


class AlreadyRunningError(LabError):
    """A lab of this name is running and belongs to a living owner, so it must not be cleaned away."""


class WaitTimeoutError(LabError):
    """A wait reached its limit; the text names what was waited for and what was seen last."""
