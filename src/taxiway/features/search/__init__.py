"""Search over everything: the catalog, and the documents that features and plugins contribute."""
