from pausewatch.model.pod_commands import describe_pod, get_pod, inspect_pod

EVIL = "a; rm -rf /"


def test_commands_name_the_pod() -> None:
    """As they are typed, and where."""
    told = [command("team-a", "web-x") for command in (inspect_pod, get_pod, describe_pod)]

    assert [(one.run_on.value, one.command) for one in told] == [
        ("node", "pausewatch inspect team-a/web-x"),
        ("cluster", "kubectl --namespace team-a get pod web-x -o wide"),
        ("cluster", "kubectl --namespace team-a describe pod web-x"),
    ]


def test_names_are_quoted() -> None:
    """Whoever may talk to the CRI chooses them."""
    assert inspect_pod(EVIL, EVIL).command == f"pausewatch inspect '{EVIL}/{EVIL}'"
    assert get_pod(EVIL, EVIL).command == f"kubectl --namespace '{EVIL}' get pod '{EVIL}' -o wide"
    assert describe_pod(EVIL, EVIL).command == f"kubectl --namespace '{EVIL}' describe pod '{EVIL}'"
