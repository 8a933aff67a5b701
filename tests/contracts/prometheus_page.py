"""What docs/prometheus.md shows of other files: the scrape configuration, the alerts, the recorded series."""

from pathlib import Path

from contracts.alert_rules import RECORDED, agent_rules, duration, finding_rules
from contracts.marks import fill

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "prometheus.md"
SCRAPE_CONFIG = REPOSITORY / "charts" / "pausewatch" / "files" / "scrape-config.yaml"


def render_prometheus_page() -> str:
    """Return the page; the text around the marks is written by hand."""
    page = PAGE.read_text()
    for mark, text in (("scrape", _scrape()), ("alerts", _alerts()), ("recorded", _recorded())):
        page = fill(page, mark, text)
    return page


def _scrape() -> str:
    return f"```yaml\n{SCRAPE_CONFIG.read_text()}```"


def _alerts() -> str:
    rows = [
        f"| [{rule.name}](../operator/pausewatch/{rule.page}) | {rule.severity.lower()} |"
        f" {duration(rule.delay_seconds)} | {rule.summary} |"
        for rule in (*finding_rules(), *agent_rules())
    ]
    return "\n".join(("| alert | severity | after | tells |", "|---|---|---|---|", *rows))


def _recorded() -> str:
    rows = [f"| `{name}` | `{expression}` |" for name, expression in RECORDED.items()]
    return "\n".join(("| series | is |", "|---|---|", *rows))
