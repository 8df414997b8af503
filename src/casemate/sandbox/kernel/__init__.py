"""The kernel's walls, one page each: no opinions, only the standard library, and failures as `OSError`.

What a sandbox needs is described as a `Call` and made later, see `calls`; what only a zygote or a worker needs may be
made at once. The type of a function says which.
"""
