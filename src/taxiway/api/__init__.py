"""The HTTP face: assembles the platform and mounts every operation. It decides nothing."""
