"""What runs within the walls: one module for each task body, the standard library only, imported by nobody but the
zygote.

A body is `run(job, tell)`, or `run(job, tell, ask)` if it has questions. `job` has the rendered `properties`, the
`place` (ids) and `files` (where the files lie that its properties name by their addresses). `tell` takes one message at
a time: `{"log": {"level", "message"}}`, `{"metric": {"name", "kind", "value", "tags"}}`, `{"outputs": {...}}`, and at
most once `{"failed": {"message"}}`. `ask(function, **arguments)` waits for the answer; what its manifest does not list
is refused. `files.keep` puts files of the working directory into internal storage and gives their addresses. An
exception counts as a failure with its trace. Modules are loaded before the walls are there, so importing one must do
nothing and start no thread.
"""
