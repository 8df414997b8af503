"""What the API can do, one module for each kind of thing it is done to."""
