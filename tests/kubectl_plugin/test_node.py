from datetime import timedelta

from kubectl_plugin.answers import CRITICAL, NOW, read
from pausewatch.kubectl_plugin.node import node_page
from pausewatch.kubectl_plugin.stored import parse
from pausewatch.model.report import CheckResult, Outcome
from support.printed import printed
from support.reports import a_coverage, a_finding

SKIPPED = CheckResult(check="orphaned-sandbox", outcome=Outcome.SKIP, reason="NoApiServer")


def test_node_is_told_in_full() -> None:
    """Findings with their first command, conditions, and what explains them."""
    text = printed(node_page(read(findings=(CRITICAL, a_finding())), NOW))

    assert text.startswith("node-7: 1 critical, 1 warning. containerd 2.4.2, 2 sandboxes, 0 zombies\n")
    assert "3 min ago" in text
    assert "  Healthy           False  NamespaceNotShared\n" in text
    assert "\nCRITICAL  NamespaceNotShared  team-a/web-x/app\n" in text
    assert "    ps --ppid 2311 -o pid,stat,comm\n" in text
    assert "kubectl -n team-a describe pod web-x" not in text
    assert text.endswith("  pausewatch explain NamespaceNotShared\n  pausewatch explain ZombieBuildup\n")


def test_wide_has_evidence_and_every_command() -> None:
    """All that is stored."""
    text = printed(node_page(read(findings=(a_finding(),)), NOW, wide=True))

    assert "pid:[4026532311]" in text
    assert "kubectl -n team-a describe pod web-x" in text


def test_silent_agent_is_told_first() -> None:
    """With the command that finds its pod."""
    text = printed(node_page(read(), NOW + timedelta(days=3)))

    assert "STALE  no word from its agent since 2026-" in text
    assert "--field-selector spec.nodeName=node-7" in text
    assert "no findings" in text
    assert "STALE  no word from its agent ever" in printed(node_page(parse({"metadata": {"name": "node-7"}}), NOW))


def test_what_was_not_judged_is_told() -> None:
    """Silence is not health."""
    coverage = a_coverage(not_comparable_sandboxes=2, unreadable_processes=1, ignored_findings=3)
    text = printed(node_page(read(coverage=coverage, results=(SKIPPED,)), NOW))

    assert "  not comparable                2 sandboxes\n" in text
    assert "  not readable                  1 first process\n" in text
    assert "  skipped, NoApiServer          orphaned-sandbox\n" in text
    assert "\nnot judged; pausewatch explain REASON says what each means:\n" in text
    assert "\nnot judged:\n" in printed(node_page(read(coverage=coverage), NOW))


def test_findings_beyond_what_is_stored_or_asked_for_are_counted() -> None:
    """Whoever sees twenty must know of the rest."""
    many = tuple(a_finding(part=f"part-{number}") for number in range(25))

    assert "5 more findings did not fit into the report" in printed(node_page(read(findings=many), NOW))
    assert "20 findings not about pods of team-z" in printed(node_page(read(findings=many), NOW, namespace="team-z"))
