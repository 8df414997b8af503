"""What runs within the walls: one module for each task body, the standard library only, imported by nobody but the
zygote.

A body is `run(job, tell)`. `job` has the rendered `properties` and the `place` (ids); `tell` takes one message at a
time: `{"log": {"level", "message"}}`, `{"metric": {"name", "kind", "value", "tags"}}`, `{"outputs": {...}}`, and at
most once `{"failed": {"message"}}`. An exception counts as a failure with its trace. Modules are loaded before the
walls are there, so importing one must do nothing and start no thread.
"""
