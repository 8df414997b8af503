"""An example of a plugin: it greets."""
