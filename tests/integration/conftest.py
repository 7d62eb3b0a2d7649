"""What several tests with outside engines share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from factories.engines import Gitea, gitea


@pytest.fixture(scope="session")
def forge() -> Iterator[Gitea]:
    """One Gitea for all tests of the group `gitea`: it takes longer to start than they take."""
    with gitea() as running:
        yield running
