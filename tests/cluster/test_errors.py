import pytest

from pausewatch.cluster.errors import LONGEST_MESSAGE, RESOURCE_UNKNOWN, ApiError


def test_text_names_request_cause_and_message() -> None:
    """What was asked, what came of it."""
    error = ApiError("GET /api/v1/pods", 403, "Forbidden", "pods is forbidden:\n  no rule")

    assert str(error) == "GET /api/v1/pods: 403 Forbidden: pods is forbidden: no rule"


def test_message_of_a_server_is_made_safe() -> None:
    """A proxy may answer with a page, and with anything in it."""
    error = ApiError("GET /", 502, "Http502", "\x1b[31m" + "x" * 10_000)

    assert "\x1b" not in str(error)
    assert len(str(error)) < LONGEST_MESSAGE + 50


def test_what_a_policy_refused_is_no_missing_right() -> None:
    """Another ClusterRole would not help."""
    message = (
        "podsandboxreports \"node-8\" is forbidden: ValidatingAdmissionPolicy 'pausewatch-own-node' denied request"
    )
    error = ApiError("POST /", 403, "Forbidden", message)

    assert error.remedy.startswith("do as the policy says")


@pytest.mark.parametrize(
    ("status", "reason", "begins"),
    [
        (0, "Unreachable", "check that the API server can be reached"),
        (401, "Unauthorized", "check the token"),
        (403, "Forbidden", "grant the agent"),
        (404, RESOURCE_UNKNOWN, "install the CustomResourceDefinition"),
        (404, "NotFound", ""),
        (422, "Invalid", "bring the CustomResourceDefinition"),
        (503, "ServiceUnavailable", ""),
    ],
)
def test_remedy_begins_with_a_verb(status: int, reason: str, begins: str) -> None:
    """Where waiting is all there is to do, there is none."""
    unavailable = ApiError("GET /", status, reason, "").as_unavailable()

    assert unavailable.reason == reason
    assert unavailable.remedy.startswith(begins)
    assert bool(unavailable.remedy) is bool(begins)
