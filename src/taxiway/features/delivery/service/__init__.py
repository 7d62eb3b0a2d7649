"""Use cases of delivery: pipelines and the desired state in Git."""
