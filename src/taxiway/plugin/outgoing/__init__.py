"""How Taxiway and its plugins reach other systems over HTTP: bounded, polite, and not led astray.

`Outgoing` refuses private addresses unless their host was configured, checks every redirect again, bounds time and
size, keeps to the other side's rate limits, and never tells a secret in an error.
"""

from taxiway.plugin.outgoing.addresses import Hosts
from taxiway.plugin.outgoing.answer import Answer, shown
from taxiway.plugin.outgoing.client import Limits, Outgoing
from taxiway.plugin.outgoing.pages import next_link, pages

__all__ = ["Answer", "Hosts", "Limits", "Outgoing", "next_link", "pages", "shown"]
