"""The kernel's walls, one page each: thin calls that raise `OSError`, no opinion about tasks, the standard library
only.
"""
