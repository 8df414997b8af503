"""Stand-ins on the wire for services that cannot be had here; each says which behaviours it copies, and from where."""
