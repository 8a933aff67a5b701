"""Write lab_cri_pb2.py and lab_cri_pb2.pyi from lab_cri.proto: `PYTHONPATH=tests python -m lab.cri.generate`.

Needs grpcio-tools, which the lab does not need for anything else: the generated files are committed.
"""

import subprocess
import sys
from pathlib import Path

_TESTS = Path(__file__).parents[2]
_PROTO = "lab/cri/lab_cri.proto"


def generate(target: Path) -> None:
    """Write the generated modules below `target`, as lab/cri/lab_cri_pb2.py and .pyi.

    Raises:
        subprocess.CalledProcessError: The compiler refused the file; its reason went to standard error.
    """
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I.", f"--python_out={target}", f"--pyi_out={target}", _PROTO],
        cwd=_TESTS,  # the path given to the compiler becomes the file's name in the descriptor pool
        check=True,
    )


if __name__ == "__main__":
    generate(_TESTS)
