"""Where sources find the node's files."""

from pausewatch.sources.place import Place


def test_files_of_the_runtime_are_below_its_root() -> None:
    """From inside a pod the runtime's files are nowhere else."""
    assert Place(proc="/proc", listener_pid=800, endpoint="/run/x.sock").root == "/proc/800/root"


def test_without_a_sweep_no_text_is_known() -> None:
    """A source that asks for the text of a process treats it as gone."""
    assert Place(proc="/proc", listener_pid=800, endpoint="/run/x.sock").stat_of(1) is None
