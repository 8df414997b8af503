"""What does this YAML text say, and where?"""

from casemate.documents.model import (
    Document,
    Entry,
    Mapping,
    Mark,
    Node,
    Path,
    Plain,
    Scalar,
    Sequence,
    node_of,
    plain,
    printed,
)
from casemate.documents.read import MAX_BYTES, MAX_DEPTH, MAX_NODES, Reading, examine, read
from casemate.documents.split import split_documents
from casemate.documents.write import write

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_NODES",
    "Document",
    "Entry",
    "Mapping",
    "Mark",
    "Node",
    "Path",
    "Plain",
    "Reading",
    "Scalar",
    "Sequence",
    "examine",
    "node_of",
    "plain",
    "printed",
    "read",
    "split_documents",
    "write",
]
