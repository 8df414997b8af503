"""The kernel's walls, one page each: thin calls that raise `OSError`, no opinions, only the standard library."""
