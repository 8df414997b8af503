"""One module a backend, each loaded only where it is configured."""
