from pausewatch.sources.place import Place


def test_files_of_the_runtime_are_below_its_root() -> None:
    """From inside a pod the runtime's files are nowhere else."""
    assert Place(proc="/proc", listener_pid=800, endpoint="/run/x.sock").root == "/proc/800/root"
