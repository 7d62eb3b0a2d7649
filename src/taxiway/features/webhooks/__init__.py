"""Events sent to other systems: subscriptions, signed deliveries in order, and what became of each."""
