"""From other portals' documents to entities: pure functions that say of every field where it went, or why not."""
