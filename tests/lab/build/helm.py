"""The tools that judge a Helm chart, and the schemas that they judge by, built on first use."""

from dataclasses import dataclass
from pathlib import Path

from lab.build.cache import Component, ensure
from lab.build.go_command import go_command
from lab.build.schemas import kubernetes_schemas, monitoring_definitions
from lab.pins import GO_MODULES, SCHEMA_SOURCES

SHAPE = "chart"
"""What `python -m lab build` calls all of this; nothing of it is started."""

_HELM = "helm.sh/helm/v4"
_KUBECONFORM = "github.com/yannh/kubeconform"
_KUBERNETES = "k8s.io/kubernetes"


@dataclass(frozen=True)
class ChartTools:
    """What a chart is judged with.

    Attributes:
        helm: The program.
        kubeconform: The program.
        schemas: A directory for each version of Kubernetes, "v1.30.14", with one JSON schema for each kind.
        definitions: Files with the CustomResourceDefinitions of Prometheus Operator.
    """

    helm: Path
    kubeconform: Path
    schemas: tuple[Path, ...]
    definitions: tuple[Path, ...]


def components() -> tuple[Component, ...]:
    """Everything that has to be there before a chart is judged."""
    return (_helm(), _kubeconform(), *map(kubernetes_schemas, _versions()), monitoring_definitions())


def ensure_helm() -> Path:
    """Make helm if it is missing, and say where it is; two minutes on two cores.

    Raises:
        BuildError: It could not be made.
    """
    return ensure(_helm()) / "bin" / "helm"


def ensure_chart_tools() -> ChartTools:
    """Make what is missing, and say where everything is.

    Raises:
        BuildError: A component could not be made.
    """
    return ChartTools(
        helm=ensure_helm(),
        kubeconform=ensure(_kubeconform()) / "bin" / "kubeconform",
        schemas=tuple(ensure(kubernetes_schemas(version)) / f"v{version}" for version in _versions()),
        definitions=tuple(sorted(ensure(monitoring_definitions()).glob("*.yaml"))),
    )


def _versions() -> tuple[str, ...]:
    """One of each minor version of Kubernetes that the chart takes, the oldest first; the newest is the lab's own."""
    return tuple(source.rpartition("@v")[2] for source in SCHEMA_SOURCES if source.startswith(f"{_KUBERNETES}@"))


def _helm() -> Component:
    stamp = f"{_HELM}/internal/version.version=v{GO_MODULES[_HELM]}"
    return go_command("helm", _HELM, package="cmd/helm", variables=(stamp,))


def _kubeconform() -> Component:
    return go_command("kubeconform", _KUBECONFORM, package="cmd/kubeconform")
