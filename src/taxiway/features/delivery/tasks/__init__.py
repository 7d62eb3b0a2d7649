"""Run handlers of delivery: pipeline, deploy, destroy, decommission."""
