"""What does this template mean? Pebble's language over plain values: no attribute of a Python object is ever reachable."""
