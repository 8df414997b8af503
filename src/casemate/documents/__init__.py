"""What does this YAML text say, and where?"""

from casemate.documents.model import Document, Entry, Mapping, Mark, Node, Path, Plain, Scalar, Sequence, plain, printed

__all__ = ["Document", "Entry", "Mapping", "Mark", "Node", "Path", "Plain", "Scalar", "Sequence", "plain", "printed"]
