"""`mcqa serve` and deployments/prefect.yaml: what is there, what is refused, and what a mistake comes to."""

from tests.support.served import Served, wait_until


def test_serve_says_what_it_started(served: Served) -> None:
    """Where the UI is, the deployments, the folder, and how to stop."""
    printed = served.printed
    assert f"Prefect's UI: {served.url}" in printed
    assert (
        "Deployment: evaluate\nDeployment: nightly, its schedule off\nDeployment: quickstart\nDeployment: evaluate-sharded\n"
        in printed
    )
    assert "Deployment: weekly, its schedule off\nDeployment: retired\n" in printed
    assert f"runs evaluations in {served.folder}" in printed


def test_the_deployments_are_described(served: Served) -> None:
    """With a version, tags, a description, a limit that lets runs wait, and a schedule that is off."""
    nightly = served.deployment("nightly")
    assert (nightly["version"], nightly["tags"]) == ("0.1.0", ["mcqa", "scheduled"])
    assert nightly["description"].startswith("Asks everything again")
    assert nightly["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    assert nightly["parameters"] == {"config_file": "config.yaml", "auto_resume": False}
    assert [schedule["active"] for schedule in nightly["schedules"]] == [False]


def test_the_form_offers_what_lies_in_the_folder(served: Served) -> None:
    """The other tests show that any other path is accepted."""
    assert "The run form offers 1 configuration, 1 questions file, 1 model\n" in served.printed
    for name in ("evaluate", "nightly", "quickstart", "evaluate-sharded"):
        schema = served.deployment(name)["parameter_openapi_schema"]
        fields = schema["properties"] | schema["definitions"]["Overrides"]["properties"]
        menus = [fields[field]["anyOf"][0]["enum"] for field in ("config_file", "questions_file", "model", "grader")]
        assert menus == [["offered.yaml"], ["offered.json"], ["judge"], ["judge", "self"]]


def test_a_notification_is_offered_and_switched_off(served: Served) -> None:
    """With a block to fill in, which asks nobody until then."""
    [offered] = [each for each in served.call("POST", "automations/filter", {}) if each["name"] == "Notify when accuracy drops"]
    assert not offered["enabled"]
    block = served.call("GET", f"block_documents/{offered['actions'][0]['block_document_id']}")
    assert (block["name"], block["data"]["url"]) == ("mcqa-accuracy-drops", "https://fill-in.example/webhook")


def test_a_variable_changes_how_many_questions_are_in_flight(served: Served) -> None:
    """Of a run that is asking, within seconds, and again when it is removed; the run is tagged meanwhile.

    A server that takes it for crashed while it lives, as one may that stood still, believes its end.
    """
    release, held = served.hold_back("variable", after=3)
    run_id = served.start(config_file=served.write("variable", parallel_workers=2))
    wait_until(lambda: len(held) == 2)
    served.call("POST", "variables/", {"name": "mcqa_parallel_workers", "value": 5})
    wait_until(lambda: len(held) == 5, timeout_seconds=20)
    served.call("DELETE", "variables/name/mcqa_parallel_workers")
    back = "Questions in flight: 2 instead of 5 (as configured)"
    wait_until(lambda: back in [log["message"] for log in served.logs(run_id)], timeout_seconds=20)
    served.call("POST", f"flow_runs/{run_id}/set_state", {"state": {"type": "CRASHED"}})
    assert served.state(run_id)[0] == "Crashed"
    release.set()
    served.wait_for(run_id, "Completed")
    assert set(served.run(run_id)["tags"]) == {"mcqa", "on-demand", "model:fake", "questions:variable"}


def test_urgent_runs_are_taken_before_nightly_ones(served: Served) -> None:
    """Each deployment has its queue, and Prefect's own queue is between the two."""
    queues = served.call("POST", "work_pools/mcqa/queues/filter", {})
    order = [("urgent", 1), ("default", 2), ("nightly", 3), ("shards", 4)]
    assert [(queue["name"], queue["priority"]) for queue in queues] == order
    queue_of = {name: served.deployment(name)["work_queue_name"] for name in ("evaluate", "nightly", "quickstart")}
    assert queue_of == {"evaluate": "urgent", "nightly": "nightly", "quickstart": "urgent"}


def test_deployments_of_one_s_own_are_as_the_file_says(served: Served) -> None:
    """Also a text with doubled braces, which `prefect deploy` would take for a placeholder."""
    weekly = served.deployment("weekly")
    overrides = {"limit": 5, "prompt": 'Say {{"a": 1}}. {question}'}
    assert weekly["parameters"] == {"config_file": "offered.yaml", "overrides": overrides, "auto_resume": False}
    assert (weekly["description"], weekly["tags"]) == ("Each Monday.", ["mcqa", "deployments.yaml", "mmlu"])
    assert (weekly["work_queue_name"], served.deployment("retired")["work_queue_name"]) == ("nightly", "urgent")
    [schedule] = weekly["schedules"]
    assert (schedule["schedule"]["cron"], schedule["schedule"]["timezone"]) == ("0 3 * * 1", "Europe/Berlin")


def test_a_wrong_value_is_refused_before_a_run_is_made(served: Served) -> None:
    """With the field's name and what is wrong."""
    assert "409" in served.refusal("evaluate", overrides={"limit": 0})
    assert "'overrides.limit'" in served.refusal("evaluate", overrides={"limit": 0})
    assert "'overrides.parallel_workers'" in served.refusal("evaluate", overrides={"parallel_workers": "many"})
    assert "'lmit' is not one of [" in served.refusal("evaluate", overrides={"lmit": 3})


def test_a_mistake_that_only_the_run_can_see_ends_it_at_once(served: Served) -> None:
    """Failed, with the command's own message."""
    run_id = served.start(config_file="none.yaml")
    assert served.wait_for(run_id, "Failed", "Completed", "Crashed").startswith(
        "cannot read none.yaml: No such file or directory; "
    )


def test_nothing_is_reported_to_anybody(served: Served) -> None:
    """Neither the server's telemetry nor the client's."""
    assert served.call("GET", "admin/settings")["server"]["analytics_enabled"] is False
