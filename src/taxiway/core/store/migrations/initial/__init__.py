"""The tables of the first revision, apart from it: it makes them in this order. Never changed any more."""
