"""The catalog's index in memory: one bitmap a facet, brought up to the snapshot of each read. See ADR 0013."""
