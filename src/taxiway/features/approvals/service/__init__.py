"""Telling people of approvals, and the mail to them."""
