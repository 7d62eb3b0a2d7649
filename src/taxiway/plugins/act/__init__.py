"""Runs the GitHub Actions workflows of a repository on this host with `act`."""
