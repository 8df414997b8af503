"""Is this a flow? The values a flow consists of, and how a document becomes them."""

from casemate.documents import split_documents
from casemate.flows.advice import Warnings, warnings
from casemate.flows.build import build_input
from casemate.flows.cron import expanded
from casemate.flows.drawing import drawn
from casemate.flows.findings import Finding, Judge
from casemate.flows.for_each_item import FOR_EACH_ITEM, ITEMS, MERGE, SPLIT, sibling
from casemate.flows.graph import Graph, graph_to_json
from casemate.flows.json_schema import (
    flow_json_schema,
    held_json_schema,
    input_types,
    manifest_json_schema,
    meant_type,
    type_json_schema,
)
from casemate.flows.links import FLOW_TRIGGER, Link, LinkKind, around, links
from casemate.flows.model import (
    MADE,
    Concurrency,
    Condition,
    Flow,
    FlowKey,
    Input,
    Label,
    Listener,
    Output,
    Quota,
    Retry,
    Sla,
    Task,
    Trigger,
)
from casemate.flows.parse import TEMPLATED, flow_of, parse, parse_task, parse_trigger, read_flow
from casemate.flows.server_rules import unfit_rules
from casemate.flows.shown import input_to_json, task_to_json, to_json, trigger_to_json
from casemate.flows.templates import TEMPLATE, Template, TemplateName, clashes, names_of, read_template, with_templates
from casemate.flows.violations import violations

__all__ = [
    "FLOW_TRIGGER",
    "FOR_EACH_ITEM",
    "ITEMS",
    "MADE",
    "MERGE",
    "SPLIT",
    "TEMPLATE",
    "TEMPLATED",
    "Concurrency",
    "Condition",
    "Finding",
    "Flow",
    "FlowKey",
    "Graph",
    "Input",
    "Judge",
    "Label",
    "Link",
    "LinkKind",
    "Listener",
    "Output",
    "Quota",
    "Retry",
    "Sla",
    "Task",
    "Template",
    "TemplateName",
    "Trigger",
    "Warnings",
    "around",
    "build_input",
    "clashes",
    "drawn",
    "expanded",
    "flow_json_schema",
    "flow_of",
    "graph_to_json",
    "held_json_schema",
    "input_to_json",
    "input_types",
    "links",
    "manifest_json_schema",
    "meant_type",
    "names_of",
    "parse",
    "parse_task",
    "parse_trigger",
    "read_flow",
    "read_template",
    "sibling",
    "split_documents",
    "task_to_json",
    "to_json",
    "trigger_to_json",
    "type_json_schema",
    "unfit_rules",
    "violations",
    "warnings",
    "with_templates",
]
