"""The alerts that tell when pausewatch itself is blind: a fault that nobody looks for is found by nobody.

Alerts about findings need no declaration: there is one for each reason of a check. The chart's rule file, its tests and
``pausewatch explain`` are made from both.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pausewatch.model.report import Severity

ALERT_PREFIX = "Pausewatch"
"""Of every alert. What follows is the reason of a finding, or what is wrong with an agent."""

JOB = "pausewatch"
"""The value of ``job`` that the scrape configuration gives to agents: ``up`` is a metric of everybody."""

AGENT_POD = (
    f"kubectl get pods --all-namespaces --selector app.kubernetes.io/name={JOB} --field-selector spec.nodeName={{node}}"
    " --output wide"
)
"""Shows the agent's pod of a node, whatever it and its Kubernetes namespace are called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAlert:
    """One rule about agents. Two of the same name differ in severity, and have one page."""

    name: str
    severity: Severity
    expression: str
    """PromQL; what it returns has the labels ``cluster`` and ``node``, or none."""

    delay_seconds: int
    """How long it must be so."""

    why_delay: str
    summary: str
    """One sentence without variables. The page has that of the last rule of its name."""

    description: str
    """What is wrong and what to type. ``{node}`` stands for the node."""

    @property
    def page(self) -> str:
        """The file name of its page in this folder."""
        return f"{self.name}.md"


AGENT_ALERTS = (
    AgentAlert(
        name="PausewatchDown",
        severity=Severity.CRITICAL,
        expression=f'absent(up{{job="{JOB}"}} == 1)',
        delay_seconds=900,
        why_delay="the first installation, and a restart of Prometheus, take minutes to discover their targets",
        summary="No agent answers Prometheus, so nobody looks at any pod sandbox.",
        description="No agent of pausewatch answers Prometheus: either none runs, or none is scraped"
        f' as job="{JOB}". Start with: kubectl get daemonsets,pods --all-namespaces --selector'
        f" app.kubernetes.io/name={JOB}",
    ),
    AgentAlert(
        name="PausewatchDown",
        severity=Severity.WARNING,
        expression=f'max by (cluster, node) (up{{job="{JOB}"}}) == 0',
        delay_seconds=900,
        why_delay="an update of the DaemonSet and a reboot of the node are over by then",
        summary="An agent does not answer Prometheus, so nobody looks at the pod sandboxes of its node.",
        description=f"The agent of node {{node}} does not answer Prometheus. Start with its pod: {AGENT_POD}",
    ),
    AgentAlert(
        name="PausewatchScanStale",
        severity=Severity.WARNING,
        expression="""\
(
    time() - max by (cluster, node) (pausewatch_last_scan_success_timestamp_seconds)
  >
    clamp_min(10 * max by (cluster, node) (pausewatch_scan_period_seconds), 300)
  unless
    max by (cluster, node) (changes(pausewatch_last_scan_success_timestamp_seconds[5m])) > 0
)
or
(
    max by (cluster, node) (pausewatch_scan_period_seconds)
  unless
    max by (cluster, node) (pausewatch_last_scan_success_timestamp_seconds)
)""",
        delay_seconds=300,
        why_delay="the kubelet restarts an agent whose scan hangs at this same age, and that mends most of them",
        summary="An agent runs and has not completed a scan for a long time.",
        description="The agent of node {node} answers, and has completed no scan for ten periods or more (five minutes"
        f" at least). Its log tells what holds it up; its pod is shown by: {AGENT_POD}",
    ),
    AgentAlert(
        name="PausewatchRuntimeUnreachable",
        severity=Severity.WARNING,
        expression='max by (cluster, node) (pausewatch_source_up{source="runtime"}) == 0',
        delay_seconds=300,
        why_delay="a restart of the container runtime takes seconds, an upgrade of it a minute or two",
        summary="An agent can not ask the container runtime, so almost no check is judged.",
        description="The agent of node {node} can not ask its container runtime. What it lacks, in its own words:"
        " kubectl get psr {node} --output"
        """ jsonpath='{{.status.conditions[?(@.type=="RuntimeReachable")].message}}'""",
    ),
    AgentAlert(
        name="PausewatchSourceDown",
        severity=Severity.WARNING,
        expression="""\
min by (cluster, node) (
  max by (cluster, node, source) (pausewatch_source_up{source!="runtime"})
) == 0""",
        delay_seconds=1800,
        why_delay="an outage of the API server takes the pods of all nodes with it, and has alerts of its own",
        summary="An agent can not read the pods of its node from the API, or the processes of its node.",
        description="The agent of node {node} lacks pods or processes, and skips the checks that need them. Which, and"
        """ why: kubectl get psr {node} --output jsonpath='{{.status.coverage.skippedChecks}}' and the log of its pod"""
        f", shown by: {AGENT_POD}",
    ),
    AgentAlert(
        name="PausewatchReportWritesFailing",
        severity=Severity.WARNING,
        expression="""\
  sum by (cluster, node) (increase(pausewatch_report_write_errors_total[20m])) > 2
and
  max by (cluster, node) (pausewatch_report_write_errors_total)
unless
  sum by (cluster, node) (increase(pausewatch_report_writes_total[20m])) > 0""",
        delay_seconds=600,
        why_delay="an unchanged report is written every 10 minutes, and a restart of the API server is over by then",
        summary="An agent can not write its report, so kubectl shows an old one or none.",
        description="The agent of node {node} could not write its PodSandboxReport for 20 minutes: kubectl get psr"
        " shows the past or nothing, while the metrics are right. Its log names the request that fails; its pod is"
        f" shown by: {AGENT_POD}",
    ),
)


def agent_alert_pages() -> Mapping[str, AgentAlert]:
    """Return one rule per page, the last one, by the name of the alert."""
    return {alert.name: alert for alert in AGENT_ALERTS}
