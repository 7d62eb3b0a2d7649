"""HTTP for the engine room: operations become routes, errors become answers. Features import `Ctx` and helpers."""
