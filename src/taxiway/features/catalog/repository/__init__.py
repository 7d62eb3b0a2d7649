"""All SQL of the catalog: `entities` writes, `reading` and `listing` read documents, the others serve one thing."""
