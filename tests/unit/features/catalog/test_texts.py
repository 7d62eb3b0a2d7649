"""How much is kept of documents and answers."""

from __future__ import annotations

from taxiway.features.catalog.repository.index.texts import Texts


def test_many_questions_with_short_answers_are_bounded_too() -> None:
    texts = Texts[bytes](100)
    questions = [f"question {number:02}" for number in range(50)]
    for question in questions:
        texts.keep({question: b"{}"})
    assert texts.get(questions[-1]) == b"{}"
    assert sum(texts.get(question) is not None for question in questions) <= 100 / len("question 00{}")
