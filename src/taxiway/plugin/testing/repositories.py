"""What every source of repositories must hold."""

from __future__ import annotations

from taxiway.plugin import RepositorySource


class RepositorySourceConformance:
    """Give fixtures `source`, with at least one repository, and `name`, a repository that has a README.md and may be
    proposed to."""

    def test_it_lists_repositories_once_each(self, source: RepositorySource, name: str) -> None:
        found = [item.name for item in source.repositories()]
        assert name in found
        assert len(found) == len(set(found))

    def test_a_repository_that_did_not_change_has_the_same_state(self, source: RepositorySource, name: str) -> None:
        states = [{item.name: item.state for item in source.repositories()}[name] for _ in range(2)]
        assert states[0] == states[1]

    def test_it_reads_what_is_wanted_and_there(self, source: RepositorySource, name: str) -> None:
        one = next(item for item in source.repositories() if item.name == name)
        facts = source.read(one, ["README.md", "no/such/file"])
        assert "README.md" in facts.paths
        assert set(facts.files) == {"README.md"}
        assert all(count > 0 for _, count in facts.authors)

    def test_a_proposal_is_made_once(self, source: RepositorySource, name: str) -> None:
        one = next(item for item in source.repositories() if item.name == name)
        made = [
            source.propose(
                name, "proposed.yaml", b"a: 1\n", title="A file", body="", by="user:default/tester", key="conformance"
            )
            for _ in range(2)
        ]
        assert made[0] == made[1]
        assert made[0]["url"]
        assert "proposed.yaml" not in source.read(one, []).paths
