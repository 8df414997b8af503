import pytest

from casemate.flows import drawn, graph_to_json

LOG = "type: io.kestra.plugin.core.log.Log, message: hi"


@pytest.fixture
def graph(flow_of):
    """The graph of a flow with these properties, as JSON."""
    return lambda text, expand=None: graph_to_json(drawn(flow_of(f"id: f\nnamespace: n\n{text}"), expand))


def edges(graph):
    return {
        (edge["source"], edge["target"]): (edge["relation"].get("relationType"), edge["relation"].get("value"))
        for edge in graph["edges"]
    }


def test_tasks_follow_one_another_from_the_start_to_the_end(graph):
    drawing = graph(f"tasks: [{{id: a, {LOG}}}, {{id: b, {LOG}}}]")
    assert edges(drawing) == {
        ("root._root", "root.a"): (None, None),
        ("root.a", "root.b"): ("SEQUENTIAL", None),
        ("root.b", "root._end"): (None, None),
    }
    assert [node["uid"] for node in drawing["nodes"]] == ["root._root", "root._end", "root.a", "root.b"]
    assert drawing["nodes"][2]["type"] == "io.kestra.core.models.hierarchies.GraphTask"
    assert drawing["nodes"][2]["task"]["message"] == "hi"
    assert (drawing["clusters"], drawing["flowables"]) == ([], [])


def test_children_side_by_side_stand_in_a_cluster(graph):
    drawing = graph(
        f"tasks: [{{id: p, type: io.kestra.plugin.core.flow.Parallel, tasks: [{{id: a, {LOG}}}, {{id: b, {LOG}}}]}}]"
    )
    assert edges(drawing)["root.p", "root.p.a"] == ("PARALLEL", None)
    assert edges(drawing)["root.p", "root.p.b"] == ("PARALLEL", None)
    assert {("root.p.a", "root.p._end"), ("root.p.b", "root.p._end"), ("root.p._end", "root._end")} <= set(
        edges(drawing)
    )
    (cluster,) = drawing["clusters"]
    assert (cluster["cluster"]["uid"], cluster["cluster"]["taskNode"]["uid"]) == ("cluster_root.p", "root.p")
    assert cluster["nodes"] == ["root.p._root", "root.p._end", "root.p", "root.p.a", "root.p.b"]
    assert (cluster["parents"], cluster["start"], cluster["end"]) == ([], "root.p._root", "root.p._end")
    assert drawing["flowables"] == ["p"]


def test_an_inner_cluster_names_the_clusters_around_it(graph):
    inner = f"{{id: b, type: io.kestra.plugin.core.flow.Sequential, tasks: [{{id: c, {LOG}}}]}}"
    drawing = graph(f"tasks: [{{id: a, type: io.kestra.plugin.core.flow.ForEach, values: [1], tasks: [{inner}]}}]")
    outer, within = drawing["clusters"]
    assert "cluster_root.a.b" in outer["nodes"]
    assert within["parents"] == ["cluster_root.a"]
    assert edges(drawing)["root.a", "root.a.b._root"] == ("DYNAMIC", None)


def test_ways_that_are_chosen_say_which_case_leads_along_them(graph):
    drawing = graph(f"""tasks:
- id: s
  type: io.kestra.plugin.core.flow.Switch
  value: x
  cases: {{FIRST: [{{id: a, {LOG}}}]}}
  defaults: [{{id: b, {LOG}}}]
- {{id: i, type: io.kestra.plugin.core.flow.If, condition: "true", then: [{{id: c, {LOG}}}], else: [{{id: d, {LOG}}}]}}
""")
    assert edges(drawing)["root.s", "root.s.a"] == ("CHOICE", "FIRST")
    assert edges(drawing)["root.s", "root.s.b"] == ("CHOICE", "defaults")
    assert edges(drawing)["root.i", "root.i.c"] == ("CHOICE", "then")
    assert edges(drawing)["root.i", "root.i.d"] == ("CHOICE", "else")


def test_a_dag_follows_what_its_tasks_depend_on(graph):
    drawing = graph(f"""tasks:
- id: d
  type: io.kestra.plugin.core.flow.Dag
  tasks:
  - {{task: {{id: c, {LOG}}}, dependsOn: [a, b]}}
  - task: {{id: a, {LOG}}}
  - task: {{id: b, {LOG}}}
""")
    inside = {way: edge[0] for way, edge in edges(drawing).items() if way[0].startswith("root.d")}
    assert inside == {
        ("root.d._root", "root.d"): None,
        ("root.d", "root.d.a"): "PARALLEL",
        ("root.d", "root.d.b"): "PARALLEL",
        ("root.d.a", "root.d.c"): "PARALLEL",
        ("root.d.b", "root.d.c"): "PARALLEL",
        ("root.d.c", "root.d._end"): None,
        ("root.d._end", "root._end"): None,
    }


def test_errors_and_what_comes_last_stand_beside_the_road(graph):
    drawing = graph(f"""tasks: [{{id: a, {LOG}}}]
errors: [{{id: e, {LOG}}}]
finally: [{{id: f, {LOG}}}]
afterExecution: [{{id: x, {LOG}}}]
""")
    assert edges(drawing) == {
        ("root._root", "root.a"): (None, None),
        ("root.a", "root._finally"): (None, None),
        ("root._root", "root.e"): ("ERROR", None),
        ("root.e", "root._finally"): (None, None),
        ("root._finally", "root.f"): (None, None),
        ("root.f", "root._after-execution"): (None, None),
        ("root._after-execution", "root.x"): (None, None),
        ("root.x", "root._end"): (None, None),
    }
    assert {node["uid"]: node["branchType"] for node in drawing["nodes"] if "branchType" in node} == {
        "root.e": "ERROR",
        "root.f": "FINALLY",
        "root.x": "AFTER_EXECUTION",
    }


def test_triggers_lead_to_the_start(graph):
    drawing = graph(f"""tasks: [{{id: a, {LOG}}}]
triggers: [{{id: daily, type: io.kestra.plugin.core.trigger.Schedule, cron: "0 0 * * *"}}]
""")
    assert [cluster["cluster"]["uid"] for cluster in drawing["clusters"]] == ["cluster_root.Triggers"]
    assert ("root.Triggers._end", "root._root") in edges(drawing)
    (trigger,) = [node for node in drawing["nodes"] if node["type"].endswith("GraphTrigger")]
    assert (trigger["uid"], trigger["triggerDeclaration"]["cron"]) == ("root.Triggers.daily", "0 0 * * *")


CALL = "tasks: [{id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: n, flowId: other}]"


def test_a_subflow_is_closed_until_it_is_expanded(graph, flow_of):
    closed = graph(CALL)
    assert (len(closed["nodes"]), closed["clusters"]) == (3, [])
    assert closed["nodes"][2]["type"].endswith("SubflowGraphTask")
    other = flow_of(f"id: other\nnamespace: n\ntasks: [{{id: inner, {LOG}}}]")
    opened = graph(CALL, lambda uid, task: other if uid == "root.call" else None)
    assert edges(opened)["root.call", "root.call.inner"] == (None, None)
    (cluster,) = opened["clusters"]
    assert cluster["cluster"]["type"].endswith("SubflowGraphCluster")


def test_every_edge_joins_nodes_and_no_uid_comes_twice(graph):
    drawing = graph(f"""tasks:
- id: items
  type: io.kestra.plugin.core.flow.ForEachItem
  items: x
  namespace: n
  flowId: other
- id: pause
  type: io.kestra.plugin.core.flow.Pause
- id: work
  type: io.kestra.plugin.core.flow.WorkingDirectory
  tasks: [{{id: a, {LOG}}}]
  errors: [{{id: b, {LOG}}}]
""")
    uids = [node["uid"] for node in drawing["nodes"]]
    assert len(uids) == len(set(uids))
    assert {end for way in edges(drawing) for end in way} <= set(uids)
    assert {"root.items.items_split", "root.items.items_items", "root.items.items_merge"} <= set(uids)
