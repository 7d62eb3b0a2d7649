"""Webhooks as an administrator keeps them, and as they are sent."""
