"""The scrape configuration finds the agents as the manifests make them, and says of them what a PodMonitor says."""

import re

import yaml

from contracts.prometheus_page import SCRAPE_CONFIG
from contracts.render import REPOSITORY
from pausewatch.alerts.agent_alerts import JOB

CHART = REPOSITORY / "charts" / "pausewatch"
MANIFESTS = REPOSITORY / "manifests"


def agents() -> dict[str, object]:
    """Return the pods of the plain manifests' DaemonSet."""
    documents = [one for path in MANIFESTS.glob("*.yaml") for one in yaml.safe_load_all(path.read_text()) if one]
    (found,) = [one for one in documents if one["kind"] == "DaemonSet"]
    template: dict[str, object] = found["spec"]["template"]
    return template


def test_agents_are_selected_by_what_they_have() -> None:
    """The label of their pods, and the name of their port."""
    (job,) = yaml.safe_load(SCRAPE_CONFIG.read_text())["scrape_configs"]
    (discovery,) = job["kubernetes_sd_configs"]
    (selector,) = discovery["selectors"]
    label, _, value = selector["label"].partition("=")
    (kept,) = [one for one in job["relabel_configs"] if one.get("action") == "keep"]
    pod = agents()

    assert discovery["role"] == selector["role"] == "pod"
    assert pod["metadata"]["labels"][label] == value  # type: ignore[index]
    ports = [port["name"] for container in pod["spec"]["containers"] for port in container.get("ports", ())]  # type: ignore[index]
    assert kept["source_labels"] == ["__meta_kubernetes_pod_container_port_name"]
    assert [port for port in ports if re.fullmatch(kept["regex"], port)] == ["metrics"]


def test_a_pod_monitor_says_the_same() -> None:
    """Job, node and whose labels win: alerts and dashboards rely on them, whoever scrapes."""
    (job,) = yaml.safe_load(SCRAPE_CONFIG.read_text())["scrape_configs"]
    relabeled = {one["target_label"]: one["source_labels"] for one in job["relabel_configs"] if "target_label" in one}
    helpers = (CHART / "templates" / "_helpers.tpl").read_text()
    (defined,) = re.findall(r'define "pausewatch.scrape" -}}\n(.*?){{- end', helpers, re.DOTALL)
    endpoint = yaml.safe_load(defined)

    assert (job["job_name"], job["honor_labels"], relabeled["node"]) == (JOB, True, ["__meta_kubernetes_pod_node_name"])
    assert endpoint["honorLabels"] is True
    assert {"targetLabel": "job", "replacement": JOB} in endpoint["relabelings"]
    assert {"targetLabel": "node", "sourceLabels": relabeled["node"]} in endpoint["relabelings"]
    assert endpoint["port"] == "metrics"
