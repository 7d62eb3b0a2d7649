"""Where entities are read from: folders below allowed roots, and repositories of the built-in forge."""
