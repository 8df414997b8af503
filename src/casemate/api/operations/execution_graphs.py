"""An execution as a graph: that of its flow, with what has become of each task."""

from __future__ import annotations

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.operation import Answer, Operation
from casemate.api.operations.acting import flow_of
from casemate.api.operations.executions import named
from casemate.api.operations.flow_graphs import graph_of
from casemate.executions import Execution, task_run_json
from casemate.flows import Graph, graph_to_json


async def execution_flow_graph(call: Call) -> Answer:
    """Draw the flow of an execution; each task has its newest task run, subflows are expanded where asked for."""
    found = await named(call)
    graph = await graph_of(call, await flow_of(call, found), found)
    runs = _runs(graph, found)
    shown = graph_to_json(graph)
    nodes = [{**node, "taskRun": runs[node["uid"]]} if node["uid"] in runs else node for node in shown["nodes"]]
    return {**shown, "nodes": nodes}


def _runs(graph: Graph, execution: Execution) -> dict[str, object]:
    """The newest task run of each task by the uid of its node; tasks of expanded subflows have theirs elsewhere."""
    newest = {run.task_id: run for run in execution.task_runs.values()}
    foreign = graph.foreign()
    return {
        node.uid: task_run_json(execution, newest[node.task.id])
        for node in graph.nodes
        if node.task is not None and node.uid not in foreign and node.task.id in newest
    }


TABLE = (
    Operation(
        "GET",
        "/api/v1/{tenant}/executions/{execution_id}/graph",
        can=("EXECUTION", "VIEW"),
        audit="execution:view",
        asks={"subflows": list},
        returns=shapes.FlowGraph,
        run=execution_flow_graph,
    ),
)
