"""Is this a flow? The values a flow consists of, and how a document becomes them."""

from casemate.flows.model import Concurrency, Flow, FlowKey, Input, Label, Output, Retry, Task, Trigger

__all__ = ["Concurrency", "Flow", "FlowKey", "Input", "Label", "Output", "Retry", "Task", "Trigger"]
