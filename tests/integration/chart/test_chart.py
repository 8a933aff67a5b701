"""The chart as helm, the schemas of Kubernetes and a real API server see it; tests/e2e/installation installs it."""

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.chart import CHART, profiles
from contracts.manifests import COMMAND, REPOSITORY, rendered_manifests
from integration.chart.conftest import NAMESPACE
from lab.build.helm import ChartTools
from lab.pins import GO_MODULES
from lab.shapes.cluster import Cluster
from support.helm import Helm, Manifest

pytestmark = pytest.mark.lab

VALUES = (CHART / "values.yaml", *profiles(), *sorted((CHART / "ci").glob("*.yaml")))
EVERYTHING = f"--values={CHART / 'ci' / 'everything-values.yaml'}"
NOTHING = f"--values={CHART / 'ci' / 'nothing-values.yaml'}"
OF_OPENSHIFT = "SecurityContextConstraints"
OF_PROMETHEUS = {"PodMonitor", "ServiceMonitor", "PrometheusRule"}
SHORTEST_REASON = 40


@pytest.fixture(scope="module")
def rendered(tools: ChartTools, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Manifest]]:
    """What the chart becomes with each file of values."""
    helm = Helm(tools.helm, tmp_path_factory.mktemp("helm"), NAMESPACE)
    return {path.stem: helm.objects(f"--values={path}") for path in VALUES}


@pytest.mark.parametrize("path", VALUES, ids=lambda path: path.stem)
def test_helm_has_nothing_against_it(helm: Helm, path: Path) -> None:
    """Neither an error nor a warning."""
    done = helm.run("lint", "--strict", f"--values={path}", str(CHART))

    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout


def test_objects_are_as_kubernetes_describes_them(
    rendered: Mapping[str, list[Manifest]], tools: ChartTools, tmp_path: Path
) -> None:
    """By the schemas of each minor version from the oldest that the chart takes on, unknown fields refused."""
    for name, objects in rendered.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump_all(objects))
    oldest = re.fullmatch(r">=1\.(\d+)\.0-0", yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"])
    newest = GO_MODULES["k8s.io/kubernetes"].split(".")
    assert oldest
    every = [f"v1.{minor}" for minor in range(int(oldest[1]), int(newest[1]) + 1)]
    assert [schemas.name.rpartition(".")[0] for schemas in tools.schemas] == every
    for schemas in tools.schemas:
        said = judged(tools, schemas, tmp_path)

        assert said.get("resources", []) == [], schemas.name
        assert said["summary"]["valid"] > len(rendered)


def test_schemas_refuse_what_kubernetes_does_not_know(helm: Helm, tools: ChartTools, tmp_path: Path) -> None:
    """A field that is misspelt, deep inside, is told with its place."""
    daemon_set = helm.the("DaemonSet")
    daemon_set["spec"]["template"]["spec"]["containers"][0]["securityContext"]["readOnlyRootFileSystem"] = True
    (tmp_path / "misspelt.yaml").write_text(yaml.safe_dump(daemon_set))
    for schemas in tools.schemas:
        (refused,) = judged(tools, schemas, tmp_path)["resources"]

        assert "'readOnlyRootFileSystem' not allowed" in refused["msg"]


def judged(tools: ChartTools, schemas: Path, folder: Path) -> dict[str, Any]:
    """What kubeconform says of the files in a folder: how many objects are valid, and what is wrong with the others."""
    location = f"{schemas}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"
    done = subprocess.run(
        [
            *(tools.kubeconform, "-strict", "-summary", "-output=json", f"-schema-location={location}"),
            *(f"-skip={','.join(sorted(OF_PROMETHEUS | {OF_OPENSHIFT}))}", folder),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_api_server_would_take_it(rendered: Mapping[str, list[Manifest]], api_server: Cluster) -> None:
    """Fields, values and expressions of policies, those of Prometheus Operator's kinds included; nothing is stored."""
    every = (json.dumps(one) for objects in rendered.values() for one in objects)
    different = [text for text in dict.fromkeys(every) if json.loads(text)["kind"] not in (OF_OPENSHIFT, "Namespace")]

    said = api_server.kubectl(
        *("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "--filename=-"),
        stdin="\n---\n".join(different),
    )

    assert said.count("serverside-applied (server dry run)") == len(different) > len(rendered)


def test_kept_definition_is_taken_over_by_another_release(
    api_server: Cluster, tools: ChartTools, tmp_path: Path
) -> None:
    """Helm refuses what a release elsewhere, or kubectl, has made, unless it is told to take it: docs/install.md."""
    helm = Helm(tools.helm, tmp_path, NAMESPACE, api_server.kubeconfig)
    api_server.kubectl("apply", "--server-side", "--force-conflicts", f"--filename={REPOSITORY}/manifests/crd.yaml")
    install = ("install", "elsewhere", str(CHART), f"--namespace={NAMESPACE}", "--dry-run=server")
    refused = helm.run(*install)
    taken = helm.run(*install, "--take-ownership")

    assert "invalid ownership metadata" in refused.stderr
    assert taken.returncode == 0, taken.stderr
    assert "--take-ownership" in (REPOSITORY / "docs" / "install.md").read_text()


def test_openshift_is_told_exactly_what_the_agent_asks_for(helm: Helm) -> None:
    """There is no API server of OpenShift here: what it admits is compared with what the pod wants."""
    asked = ("--set=securityContextConstraints.create=true", "--set=settings.deepProbe=true")
    admitted = helm.the(OF_OPENSHIFT, *asked)
    pod = helm.the("DaemonSet", *asked)["spec"]["template"]["spec"]
    security = pod["containers"][0]["securityContext"]
    volumes = {kind for volume in pod["volumes"] for kind in volume if kind != "name"} | {"projected"}  # the token

    assert admitted["allowHostPID"] is pod["hostPID"] is True
    assert admitted["allowPrivilegedContainer"] is security["privileged"] is False
    assert set(admitted["allowedCapabilities"]) == set(security["capabilities"]["add"])
    assert admitted["requiredDropCapabilities"] == security["capabilities"]["drop"]
    assert set(admitted["volumes"]) == volumes
    assert admitted["users"] == [f"system:serviceaccount:{NAMESPACE}:pausewatch"]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("imagee.tag=1", "'imagee' not allowed"),
        ("image.tags=1", "'tags' not allowed"),
        ("settings.scanPeriod=60", "'scanPeriod' not allowed"),
        ("settings.scanPeriodSeconds=0", "minimum: got 0, want 1"),
        ("podMonitor.enabled=yes", "got string, want boolean"),
    ],
)
def test_mistakes_are_refused(helm: Helm, setting: str, said: str) -> None:
    """By the schema in the chart, with the place of the mistake."""
    assert said in helm.refusal(f"--set={setting}")


def test_older_clusters_are_refused(helm: Helm) -> None:
    """They would take the chart without the own-node policy and without the field for AppArmor."""
    assert "incompatible with Kubernetes v1.29.9" in helm.refusal("--kube-version=1.29.9")
    assert helm.objects("--kube-version=1.30.0-gke.1")


def test_own_node_policy_is_left_out_only_where_it_is_not_served(helm: Helm) -> None:
    """Without a cluster to ask it is there: a template that is applied must not lack it silently."""
    policy = "ValidatingAdmissionPolicy"
    asked, served = "--api-versions=v1/Pod", f"--api-versions=admissionregistration.k8s.io/v1/{policy}"

    assert kinds(helm.objects()) == kinds(helm.objects(asked, served))
    assert policy in kinds(helm.objects())
    assert kinds(helm.objects()) - kinds(helm.objects(asked)) == {policy, f"{policy}Binding"}


def test_rights_and_capabilities_follow_from_settings(helm: Helm) -> None:
    """Without Events no right to write them; with the deep probe the capability that it needs."""
    without = "--set=settings.events=false"

    assert ("events.k8s.io", "events") in rights(helm.objects())
    assert rights(helm.objects()) - rights(helm.objects(without)) == {("events.k8s.io", "events")}
    assert capabilities(helm.the("DaemonSet")) == ["SYS_PTRACE"]
    assert capabilities(helm.the("DaemonSet", "--set=settings.deepProbe=true")) == ["SYS_PTRACE", "SYS_ADMIN"]


def test_settings_reach_the_agent_and_roll_it(helm: Helm) -> None:
    """It reads its file once, so a change has to make new pods."""
    changed = "--set=settings.scanPeriodSeconds=60"
    annotations = [
        helm.the("DaemonSet", *given)["spec"]["template"]["metadata"]["annotations"] for given in ((), (changed,))
    ]

    assert yaml.safe_load(helm.the("ConfigMap", changed)["data"]["settings.yaml"]) == {"scanPeriodSeconds": 60}
    assert annotations[0] != annotations[1]


def test_everything_off_leaves_the_agents(helm: Helm) -> None:
    """With an account that somebody else made."""
    assert kinds(helm.objects(NOTHING)) == {"ConfigMap", "DaemonSet"}
    assert helm.the("DaemonSet", NOTHING)["spec"]["template"]["spec"]["serviceAccountName"] == "own"


def test_definition_is_kept_unless_told_otherwise(helm: Helm) -> None:
    """With it go all reports."""
    kind = "CustomResourceDefinition"
    keep = {"helm.sh/resource-policy": "keep"}

    assert helm.the(kind)["metadata"]["annotations"] == keep
    assert "annotations" not in helm.the(kind, "--set=crd.keep=false")["metadata"]


def test_alerts_are_those_of_the_rule_file(helm: Helm) -> None:
    """All of them, with what Prometheus and not helm fills in, but for those that somebody does not want."""
    groups = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())["groups"]
    rendered = helm.the("PrometheusRule", "--set=prometheusRule.enabled=true")["spec"]["groups"]
    fewer = helm.the("PrometheusRule", EVERYTHING)["spec"]["groups"]

    assert rendered == [{"name": group["name"], "rules": group["rules"]} for group in groups]
    assert alerts(rendered) - alerts(fewer) == {"PausewatchZombieBuildup"}


def test_monitors_scrape_as_a_plain_prometheus_is_told_to(helm: Helm) -> None:
    """Alerts and dashboards rely on the same labels, however the agents are found."""
    (plain,) = yaml.safe_load((CHART / "files" / "scrape-config.yaml").read_text())["scrape_configs"]
    (pods,) = helm.the("PodMonitor", "--set=podMonitor.enabled=true")["spec"]["podMetricsEndpoints"]
    (services,) = helm.the("ServiceMonitor", "--set=serviceMonitor.enabled=true")["spec"]["endpoints"]
    (node,) = [one for one in plain["relabel_configs"] if one.get("target_label") == "node"]

    assert pods == services
    assert pods["honorLabels"] is plain["honor_labels"] is True
    assert {"targetLabel": "job", "replacement": plain["job_name"]} in pods["relabelings"]
    assert {"sourceLabels": node["source_labels"], "targetLabel": "node"} in pods["relabelings"]


def test_agents_are_scraped_once(helm: Helm) -> None:
    """By two monitors, all sums over nodes would be double, those of the recorded series and dashboards too."""
    said = helm.refusal("--set=podMonitor.enabled=true,serviceMonitor.enabled=true")

    assert "Enable the one that your Prometheus selects" in said


def test_account_that_the_chart_does_not_create_has_a_name(helm: Helm) -> None:
    """Otherwise the rights would go to the default account, and so to every pod of the Kubernetes namespace."""
    assert "serviceAccount.name: name the account" in helm.refusal("--set=serviceAccount.create=false")


def test_labels_and_annotations_of_one_s_own_stand_once(helm: Helm) -> None:
    """A key that stands twice is an error for half of the programs that read YAML. The selector's labels stay."""
    usual = "cluster-autoscaler\\.kubernetes\\.io/safe-to-evict"
    own = (f"--set-string=podAnnotations.{usual}=false", "--set=podLabels.app\\.kubernetes\\.io/name=other")
    text = helm.template(*own, "--show-only=templates/daemonset.yaml")
    template = yaml.safe_load(text)["spec"]["template"]["metadata"]

    assert template["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
    assert template["labels"]["app.kubernetes.io/name"] == "pausewatch"
    assert text.count("safe-to-evict") == 1
    assert "name: other" not in text


def test_dashboards_are_those_of_the_files(helm: Helm) -> None:
    """One ConfigMap each, byte for byte."""
    files = {f"pausewatch-{path.name}": path.read_text() for path in (CHART / "files" / "dashboards").glob("*.json")}
    found = [one for one in helm.objects("--set=dashboards.enabled=true") if "-dashboard" in one["metadata"]["name"]]

    assert files
    assert {name: text for one in found for name, text in one["data"].items()} == files
    assert all(one["metadata"]["labels"]["grafana_dashboard"] == "1" for one in found)


RISKS: Mapping[str, Callable[[Manifest], bool]] = {
    "host-pid": lambda pod: bool(pod.get("hostPID")),
    "host-network": lambda pod: bool(pod.get("hostNetwork")),
    "host-ipc": lambda pod: bool(pod.get("hostIPC")),
    "sensitive-host-mounts": lambda pod: any("hostPath" in volume for volume in pod["volumes"]),
    "run-as-non-root": lambda pod: security_of(pod)["runAsNonRoot"] is not True,
    "privileged-container": lambda pod: security_of(pod)["privileged"],
    "privilege-escalation-container": lambda pod: security_of(pod)["allowPrivilegeEscalation"],
    "no-read-only-root-fs": lambda pod: security_of(pod)["readOnlyRootFilesystem"] is not True,
    "drop-net-raw-capability": lambda pod: security_of(pod)["capabilities"]["drop"] != ["ALL"],
    "unset-cpu-requirements": lambda pod: "cpu" not in pod["containers"][0]["resources"]["limits"],
    "unset-memory-requirements": lambda pod: "memory" not in pod["containers"][0]["resources"]["limits"],
    "latest-tag": lambda pod: pod["containers"][0]["image"].endswith(":latest"),
}
"""Checks of kube-linter (its docs/generated/checks.md) that look at such a pod, and what each finds. Of directories of
the node it minds only some; here all count, and so they do for other linters."""


def test_what_linters_object_to_has_its_reason(helm: Helm) -> None:
    """Each exception is annotated with why it has to be, and nothing is excepted that need not be."""
    daemon_set = helm.the("DaemonSet")
    prefix = "ignore-check.kube-linter.io/"
    excepted = {name.removeprefix(prefix): why for name, why in daemon_set["metadata"]["annotations"].items()}

    assert set(excepted) == {name for name, finds in RISKS.items() if finds(daemon_set["spec"]["template"]["spec"])}
    assert all(len(why) > SHORTEST_REASON for why in excepted.values())


def test_manifests_are_what_the_chart_renders(helm: Helm) -> None:
    """Edited by hand, or left behind by a change of the chart, they would install something else than helm does."""
    current = {path.name: path.read_text() for path in (REPOSITORY / "manifests").glob("*.yaml")}
    definition = yaml.safe_load(current.pop("crd.yaml"))

    assert current == rendered_manifests(), f"manifests/ is not current: run `{COMMAND}`"
    assert definition["spec"] == helm.the("CustomResourceDefinition")["spec"]


def kinds(objects: list[Manifest]) -> set[str]:
    """Which kinds there are."""
    return {one["kind"] for one in objects}


def rights(objects: list[Manifest]) -> set[tuple[str, str]]:
    """What the agent's role is about: API group and resource."""
    (role,) = [one for one in objects if one["kind"] == "ClusterRole" and one["metadata"]["name"].endswith("-agent")]
    return {(rule["apiGroups"][0], rule["resources"][0]) for rule in role["rules"]}


def alerts(groups: list[dict[str, Any]]) -> set[str]:
    """The names of all alerts."""
    return {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}


def capabilities(daemon_set: Manifest) -> list[str]:
    """What is added to the agent's capabilities."""
    added: list[str] = security_of(daemon_set["spec"]["template"]["spec"])["capabilities"]["add"]
    return added


def security_of(pod: Manifest) -> dict[str, Any]:
    """The security context of the agent."""
    found: dict[str, Any] = pod["containers"][0]["securityContext"]
    return found
