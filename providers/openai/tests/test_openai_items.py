from __future__ import annotations

from itertools import permutations

import pytest
from debabelizer_openai.items import Items

from debabelizer import ProtocolError

CHAIN = [("a", None), ("b", "a"), ("c", "b"), ("d", "c")]


def said(items: Items) -> list[str]:
    return [item.id for item in items.settled()]


def complete(items: Items, *identifiers: str) -> None:
    for identifier in identifiers:
        item = items.get(identifier)
        assert item is not None
        item.transcript = identifier


@pytest.mark.parametrize("order", list(permutations("abcd")))
def test_completions_come_in_any_order(order: tuple[str, ...]) -> None:
    items, heard = Items(), list[str]()
    for identifier, previous in CHAIN:
        items.commit(identifier, previous)
    for identifier in order:
        complete(items, identifier)
        heard += said(items)
    assert heard == list("abcd")


@pytest.mark.parametrize("order", list(permutations(CHAIN)))
def test_commits_are_put_in_order_by_their_predecessors(order: tuple[tuple[str, str | None], ...]) -> None:
    items = Items()
    for identifier, previous in order:
        items.commit(identifier, previous)
    complete(items, *"abcd")
    assert said(items) == list("abcd")


def test_a_server_that_names_no_predecessor_commits_in_order() -> None:
    items = Items()
    for identifier, _ in CHAIN:
        items.commit(identifier, None)
    complete(items, *"dcba")
    assert said(items) == list("abcd")


def test_what_was_announced_keeps_its_place() -> None:
    items = Items()
    for identifier in "ab":
        items.get(identifier)
    items.commit("a", None)
    complete(items, "b")
    assert said(items) == []  # it is not committed, and neither is the one before it complete
    items.commit("b", None)
    complete(items, "a")
    assert said(items) == ["a", "b"]
    assert items.get("a") is None
    assert items.commit("a", None) is None
    items.commit("c", "b")  # its predecessor is final already
    assert [item.id for item in items] == ["c"]


def test_what_was_announced_and_never_committed_holds_nothing_up() -> None:
    items = Items()
    items.get("ghost")
    items.commit("a", None)
    complete(items, "a")
    assert said(items) == ["a"]


def test_what_was_only_announced_can_be_taken_out() -> None:
    items = Items()
    items.get("a")
    heard = items.get("b")
    assert heard is not None
    heard.deltas = "text"
    taken = items.take_announced()
    assert taken is not None
    assert taken.id == "a"
    assert items.take_announced() is None
    assert items.committed == frozenset()


def test_predecessors_that_make_no_sense_lose_nothing() -> None:
    items = Items()
    for identifier, previous in (("a", "b"), ("b", "a"), ("c", "c"), ("d", "a")):
        items.commit(identifier, previous)
    complete(items, *"abcd")
    assert sorted(said(items)) == list("abcd")


def test_a_service_that_begins_items_for_ever_does_not_fill_the_memory() -> None:
    items = Items()
    for number in range(1000):
        items.get(str(number))
    with pytest.raises(ProtocolError, match="completes none"):
        items.get("one more")
    assert items.get("999") is not None
