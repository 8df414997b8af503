"""Who runs when, and what comes of it: the worked traces of the specification as small flows of our own."""

from __future__ import annotations

import pytest
from tests.executions.driver import House, failing, flow, flowable, work

from casemate.executions import OfferJob, State


def each(name, values, *tasks, limit=1, **more):
    return flowable("ForEach", name, *tasks, properties={"values": values, "concurrencyLimit": limit}, **more)


def test_tasks_follow_one_another():
    house = House.of(flow(work("a"), work("b"), work("c"))).run()

    assert house.trace == ["a SUCCESS", "b SUCCESS", "c SUCCESS"]
    assert house.history() == ["CREATED", "RUNNING", "SUCCESS"]
    assert house.history("a") == ["CREATED", "RUNNING", "SUCCESS"]
    assert house.logs[0] == "Flow started"
    assert house.logs[-1].startswith("Flow completed with state SUCCESS in PT")


def test_an_attempt_has_a_history_of_its_own():
    run = House.of(flow(work("a"))).run().named("a")

    assert [[moment.state for moment in attempt.history.moments] for attempt in run.attempts] == [
        [State.CREATED, State.RUNNING, State.SUCCESS]
    ]


def test_the_next_task_waits_for_the_one_before():
    house = House.of(flow(work("a"), work("b"))).begin()

    assert house.trace == ["a CREATED"]
    house.start_all()
    assert house.trace == ["a RUNNING"]


def test_a_failed_task_ends_its_sequence():
    house = House.of(flow(work("a"), work("ko"), work("never")), outcome=failing("ko")).run()

    assert house.trace == ["a SUCCESS", "ko FAILED"]
    assert house.state is State.FAILED


def test_a_warning_does_not_end_a_sequence():
    house = House.of(flow(work("a"), work("b")), outcome=lambda run, _: State.WARNING).run()

    assert house.trace == ["a WARNING", "b WARNING"]
    assert house.state is State.WARNING


def test_disabled_tasks_are_as_if_absent():
    house = House.of(flow(work("a"), work("off", disabled=True), work("b"))).run()

    assert house.trace == ["a SUCCESS", "b SUCCESS"]


def test_a_flow_whose_tasks_are_all_disabled_succeeds():
    assert House.of(flow(work("off", disabled=True))).run().history() == ["CREATED", "RUNNING", "SUCCESS"]


def test_sequences_within_sequences():
    inner = flowable("Sequential", "inner", work("b"), work("c"))
    house = House.of(flow(flowable("Sequential", "outer", work("a"), inner), work("d"))).run()

    assert house.trace == [f"{name} SUCCESS" for name in ("outer", "a", "inner", "b", "c", "d")]
    assert house.named("outer").attempts == ()


def test_a_parallel_starts_all_its_tasks_at_once():
    house = House.of(flow(flowable("Parallel", "p", work("a"), work("b"), work("c")), work("d"))).begin()

    assert house.trace == ["p RUNNING", "a CREATED", "b CREATED", "c CREATED"]
    assert house.run().trace[-1] == "d SUCCESS"


def test_a_parallel_keeps_its_limit():
    tasks = [work(name) for name in "abcd"]
    house = House.of(flow(flowable("Parallel", "p", *tasks, properties={"concurrent": 2}))).begin()

    assert [job[0] for job in house.jobs] == ["r2", "r3"]
    house.step()
    assert house.trace == ["p RUNNING", "a SUCCESS", "b CREATED", "c CREATED"]


def test_after_a_failure_a_parallel_starts_nothing_but_waits_for_what_runs():
    tasks = [work(name) for name in ("ko", "b", "never")]
    parallel = flowable("Parallel", "p", *tasks, properties={"concurrent": 2})
    house = House.of(flow(parallel, work("never")), outcome=failing("ko")).begin()
    house.step()

    assert house.trace == ["p RUNNING", "ko FAILED", "b CREATED"]
    assert house.run().trace == ["p FAILED", "ko FAILED", "b SUCCESS"]


def test_a_dag_starts_what_has_all_it_needs():
    dag = flowable(
        "Dag",
        "dag",
        *(work(name) for name in ("a", "b", "c", "d")),
        depends_on={"b": ("a",), "c": ("a",), "d": ("b", "c")},
    )
    house = House.of(flow(dag)).begin()

    assert house.trace == ["dag RUNNING", "a CREATED"]
    house.step()
    assert house.trace[2:] == ["b CREATED", "c CREATED"]
    house.step()
    assert house.trace[2:] == ["b SUCCESS", "c CREATED"]
    assert house.run().trace == [f"{name} SUCCESS" for name in ("dag", "a", "b", "c", "d")]


def test_a_dag_does_not_wait_for_a_disabled_task():
    dag = flowable("Dag", "dag", work("off", disabled=True), work("b"), depends_on={"b": ("off",)})

    assert House.of(flow(dag)).run().trace == ["dag SUCCESS", "b SUCCESS"]


# Errors ---------------------------------------------------------------------------------------------------------------


def test_the_errors_branch_runs_but_does_not_change_the_outcome():
    tested = flow(work("ko"), work("never"), errors=(work("e1"), work("e2")))
    house = House.of(tested, outcome=failing("ko")).run()

    assert house.trace == ["ko FAILED", "e1 SUCCESS", "e2 SUCCESS"]
    assert house.state is State.FAILED


def test_a_local_errors_branch_runs_before_the_global_one():
    local = flowable("Sequential", "s", work("ko"), errors=(work("local"),))
    house = House.of(flow(local, errors=(work("global"),)), outcome=failing("ko")).run()

    assert house.trace == ["s FAILED", "ko FAILED", "local SUCCESS", "global SUCCESS"]


def test_without_a_failure_no_errors_branch_runs():
    assert House.of(flow(work("a"), errors=(work("e"),))).run().trace == ["a SUCCESS"]


def test_disabled_errors_are_no_errors():
    tested = flow(work("ko"), errors=(work("e", disabled=True),))

    assert House.of(tested, outcome=failing("ko")).run().trace == ["ko FAILED"]


def test_an_allowed_failure_is_a_warning_and_the_sequence_goes_on():
    house = House.of(flow(work("ko", allow_failure=True), work("b"), errors=(work("e"),)), outcome=failing("ko")).run()

    assert house.trace == ["ko WARNING", "b SUCCESS"]
    assert house.state is State.WARNING
    assert house.named("ko").attempts[0].history.current is State.FAILED


def test_an_allowed_warning_is_a_success():
    both = work("ko", allow_failure=True, allow_warning=True)

    assert House.of(flow(both), outcome=failing("ko")).run().trace == ["ko SUCCESS"]


def test_allow_failure_runs_its_errors_and_then_forgives():
    inner = flowable("Sequential", "seq", work("a"), work("ko"), work("never"))
    allow = flowable("AllowFailure", "allow", inner, errors=(work("local"),))
    first = flowable("Sequential", "first", allow, work("todo"))
    house = House.of(flow(first, work("last"), errors=(work("global"),)), outcome=failing("ko")).run()

    assert house.trace == [
        "first WARNING",
        "allow WARNING",
        "seq FAILED",
        "a SUCCESS",
        "ko FAILED",
        "local SUCCESS",
        "todo SUCCESS",
        "last SUCCESS",
    ]
    assert house.state is State.WARNING


def test_finally_runs_after_the_tasks():
    house = House.of(flow(work("a"), finally_=(work("f1"), work("f2")))).run()

    assert house.trace == ["a SUCCESS", "f1 SUCCESS", "f2 SUCCESS"]


def test_finally_runs_after_the_errors():
    tested = flow(work("ko"), errors=(work("e"),), finally_=(work("f"),))
    house = House.of(tested, outcome=failing("ko")).run()

    assert house.trace == ["ko FAILED", "e SUCCESS", "f SUCCESS"]
    assert house.state is State.FAILED


# Conditions -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "chosen"), [("true", "yes"), ("1", "yes"), ("false", "no"), ("0", "no"), ("", "no")])
def test_an_if_takes_one_branch(value, chosen):
    branches = {"then": (work("yes"),), "else": (work("no"),)}
    condition = flowable("If", "if", branches=branches, properties={"condition": "{{ inputs.flag }}"})
    house = House.of(flow(condition, work("after")), {"flag": value}).run()

    assert house.trace == ["if SUCCESS", f"{chosen} SUCCESS", "after SUCCESS"]
    assert house.named("if").outputs == {"evaluationResult": chosen == "yes"}


def test_an_if_without_the_branch_succeeds_at_once():
    condition = flowable("If", "if", branches={"then": (work("yes"),)}, properties={"condition": "false"})

    assert House.of(flow(condition)).run().trace == ["if SUCCESS"]


def test_an_if_whose_condition_cannot_be_rendered_fails():
    condition = flowable("If", "if", branches={"then": (work("yes"),)}, properties={"condition": "{{ nothing }}"})
    house = House.of(flow(condition)).run()

    assert house.trace == ["if FAILED"]
    assert any(log.startswith("Unable to resolve state from the Flowable task: ") for log in house.logs)


def switch(**more):
    branches = {"case:ONE": (work("t1"),), "case:2": (work("t2"),), **more}
    return flowable("Switch", "switch", branches=branches, properties={"value": "{{ inputs.value }}"})


@pytest.mark.parametrize(("value", "task", "default"), [("ONE", "t1", False), (2, "t2", False), ("x", "d", True)])
def test_a_switch_takes_the_case_of_its_value(value, task, default):
    house = House.of(flow(switch(defaults=(work("d"),))), {"value": value}).run()

    assert house.trace == ["switch SUCCESS", f"{task} SUCCESS"]
    assert house.named("switch").outputs == {"value": str(value), "defaults": default}


def test_a_switch_with_neither_case_nor_defaults_fails():
    house = House.of(flow(switch()), {"value": "x"}).run()

    assert house.trace == ["switch FAILED"]
    assert "No task found on flow 'house.tested', task 'switch', execution 'e1'" in house.logs


def test_run_if_skips_a_task():
    house = House.of(flow(work("a", run_if="{{ inputs.flag }}"), work("b")), {"flag": False}).run()

    assert house.trace == ["a SKIPPED", "b SUCCESS"]
    assert house.history("a") == ["CREATED", "SKIPPED"]
    assert house.state is State.SUCCESS


def test_run_if_skips_a_flowable_with_all_below():
    house = House.of(flow(flowable("Sequential", "s", work("a"), run_if="false"), work("b"))).run()

    assert house.trace == ["s SKIPPED", "b SUCCESS"]


def test_a_run_if_that_cannot_be_rendered_fails_the_task_run():
    house = House.of(flow(work("a", run_if="{{ nothing }}"), errors=(work("e"),))).run()

    assert house.trace == ["a FAILED", "e SUCCESS"]
    assert "Unable to evaluate the runIf condition for task a" in house.logs


# Loops ----------------------------------------------------------------------------------------------------------------


def test_a_for_each_goes_through_its_values_one_by_one():
    house = House.of(flow(each("each", ["x", "y"], work("a"), work("b")), work("end"))).run()

    assert house.trace == [f"{name} SUCCESS" for name in ("each", "a[x]", "b[x]", "a[y]", "b[y]", "end")]


def test_with_a_limit_that_many_values_are_in_flight_and_created_last_one_first():
    house = House.of(flow(each("each", ["1", "2", "3"], work("a"), work("b"), limit=2))).begin()

    assert house.trace == ["each RUNNING", "a[2] CREATED", "a[1] CREATED"]
    house.step()
    assert house.trace[1:] == ["a[2] SUCCESS", "a[1] CREATED", "b[2] CREATED"]
    assert len(house.run().runs) == 7


def test_without_a_limit_all_values_are_in_flight():
    house = House.of(flow(each("each", ["1", "2", "3"], work("a"), work("b"), limit=0))).begin()

    assert house.trace == ["each RUNNING", "a[3] CREATED", "a[2] CREATED", "a[1] CREATED"]
    assert house.run().state is State.SUCCESS
    assert len(house.runs) == 7


@pytest.mark.parametrize(("limit", "ended"), [(1, ["1"]), (0, ["1", "2", "3"])])
def test_a_failure_stops_a_for_each_from_starting_more(limit, ended):
    house = House.of(flow(each("each", ["1", "2", "3"], work("ko"), work("never"), limit=limit)), outcome=failing("ko"))
    house.run()

    assert house.state is State.FAILED
    assert sorted(run.value for run in house.runs if run.value) == ended


def test_values_may_be_the_text_of_a_list():
    house = House.of(flow(each("each", "{{ inputs.list }}", work("a"))), {"list": ["x", 1, {"k": "v"}]}).run()

    assert house.trace == ["each SUCCESS", "a[x] SUCCESS", "a[1] SUCCESS", 'a[{"k":"v"}] SUCCESS']


def test_values_are_rendered_and_duplicates_dropped():
    values = ["{{ inputs.one }}", "x", 2, {"{{ inputs.one }}": "{{ inputs.one }}"}, 2]
    house = House.of(flow(each("each", values, work("a"))), {"one": "x"}).run()

    assert [run.value for run in house.runs[1:]] == ["x", "2", '{"x":"x"}']


def test_no_values_are_a_success():
    assert House.of(flow(each("each", [], work("a")), work("b"))).run().trace == ["each SUCCESS", "b SUCCESS"]


def test_a_null_among_the_values_fails():
    house = House.of(flow(each("each", [1, None, {"key": "my-key", "value": "v"}], work("a")), work("never"))).run()

    assert house.trace == ["each FAILED"]
    text = "Found '1' null values on Each, with values=[1, null, {key=my-key, value=v}]"
    assert any(log.endswith(text) for log in house.logs)


@pytest.mark.parametrize("value", [True, 1.5, ["x"]])
def test_an_unusual_element_fails(value):
    house = House.of(flow(each("each", [value], work("a")))).run()

    assert house.trace == ["each FAILED"]
    assert any("Unknown value element type: java." in log for log in house.logs)


@pytest.mark.parametrize("value", ["not json", '{"a": 1}', 12])
def test_values_that_are_no_list_fail(value):
    assert House.of(flow(each("each", value, work("a")))).run().trace == ["each FAILED"]


def test_each_sequential_takes_its_values_one_by_one():
    loop = flowable("EachSequential", "each", work("a"), work("b"), properties={"value": '["1","2"]'})

    assert House.of(flow(loop)).run().trace == [f"{name} SUCCESS" for name in ("each", "a[1]", "b[1]", "a[2]", "b[2]")]


def test_each_parallel_starts_every_task_for_every_value():
    loop = flowable("EachParallel", "each", work("a"), work("b"), properties={"value": ["1", "2"]})
    house = House.of(flow(loop)).begin()

    assert house.trace == ["each RUNNING", "a[1] CREATED", "b[1] CREATED", "a[2] CREATED", "b[2] CREATED"]


def test_loops_within_loops():
    inner = each("inner", ["p", "q"], work("in"), limit=0)
    house = House.of(flow(each("outer", ["1", "2"], work("before"), inner, work("after"))))
    house.run()

    assert house.state is State.SUCCESS
    assert len(house.runs) == 1 + 2 * (1 + 1 + 2 + 1)


def test_flowables_in_a_loop_have_the_value_but_not_their_children():
    house = House.of(flow(each("each", ["1", "2"], flowable("Sequential", "s", work("a")), limit=0))).run()

    assert sorted(house.trace) == ["a SUCCESS", "a SUCCESS", "each SUCCESS", "s[1] SUCCESS", "s[2] SUCCESS"]


def test_a_parallel_within_a_limited_loop():
    parallel = flowable("Parallel", "p", work("a"), work("b"))
    house = House.of(flow(each("each", ["1", "2", "3"], parallel, limit=2))).run()

    assert len(house.runs) == 10
    assert house.state is State.SUCCESS


# What cannot be carried out -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", [flowable("Unheard", "odd", work("a")), work("odd", branches={"tasks": (work("a"),)})])
def test_what_the_engine_cannot_carry_out_fails_with_a_clear_word(task):
    house = House.of(flow(task, errors=(work("e"),))).run()

    assert house.trace == ["odd FAILED", "e SUCCESS"]
    assert any("can carry out a task of type" in log for log in house.logs)


def test_an_offer_names_the_attempt():
    house = House.of(flow(work("a"))).begin()

    assert OfferJob("r1", 1) in house.commands
