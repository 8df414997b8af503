"""The zygote: a small, clean, single-threaded process that holds the private root and forks one child for each launch.

It is executed with an empty environment, sees no secret and runs no task. `start.py` is its first code.
"""
