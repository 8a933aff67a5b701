"""Makes the Python messages of the CRI from their definition: ``python tests/contracts/regenerate_cri.py``.

Needs grpcio-tools, a development dependency: users of pausewatch get the generated files.
"""

import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc  # type: ignore[import-untyped]

CRI = Path(__file__).resolve().parents[2] / "operator/pausewatch/sources/cri"
DEFINITION = CRI / "runtime_v1.proto"
GENERATED = CRI / "_generated"
COMMAND = "python tests/contracts/regenerate_cri.py"


def generate(folder: Path) -> None:
    """Write ``runtime_v1_pb2.py`` and its type stub into ``folder``.

    Raises:
        RuntimeError: The compiler refused the definition; it has printed why.
    """
    arguments = [
        "protoc",
        f"--proto_path={DEFINITION.parent}",
        f"--proto_path={files('grpc_tools') / '_proto'}",
        f"--python_out={folder}",
        f"--pyi_out={folder}",
        DEFINITION.name,
    ]
    if protoc.main(arguments) != 0:
        raise RuntimeError(f"protoc refused {DEFINITION}; correct the definition by what it printed above")


if __name__ == "__main__":
    generate(GENERATED)
    sys.stdout.write(f"wrote {GENERATED}\n")
