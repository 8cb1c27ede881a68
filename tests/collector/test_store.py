"""The store: order, memory, and waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.capture.export import Export
from harness.collector.store import Budget, Store, StoreClosedError, weight
from harness.errors import DeadlineExceeded
from harness.otlp.model import Signal

Make = Callable[..., Export]

#: Long enough for any machine: a test that reaches it has failed.
LONG_S = 120.0
SHORT_S = 0.05


def test_exports_are_numbered_in_order_of_arrival(make_export: Make) -> None:
    store = Store()

    def send(_: int) -> None:
        for _ in range(250):
            store.append(make_export())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))
    assert [export.sequence for export in store.exports] == list(range(1, 1001))
    assert store.forgotten == 0


def test_the_oldest_are_forgotten_and_counted(make_export: Make) -> None:
    store = Store(limit_bytes=3 * weight(make_export(b"x" * 100)))
    for _ in range(5):
        store.append(make_export(b"x" * 100))
    assert [export.sequence for export in store.exports] == [3, 4, 5]
    assert store.forgotten == 2
    store.append(make_export(b"x" * 101))
    assert [export.sequence for export in store.exports] == [5, 6]
    assert store.snapshot() == (store.exports, 4)


def test_an_export_over_the_limit_is_counted_too(make_export: Make) -> None:
    store = Store(limit_bytes=100)
    store.append(make_export())
    assert (store.exports, store.forgotten) == ((), 1)
    with pytest.raises(DeadlineExceeded, match="1 older exports were forgotten"):
        store.wait_for_exports(1, 0)


def test_an_export_is_replaced_by_one_that_says_when_its_client_gave_up(make_export: Make) -> None:
    store = Store(limit_bytes=3 * weight(make_export(b"x" * 100)))
    exports = [make_export(b"x" * 100, path=f"/{number}") for number in range(5)]
    for export in exports:
        store.append(export)
    forgotten, _, held = exports[1:4]
    store.give_up(held, 7)
    store.give_up(forgotten, 8)
    assert [(export.path, export.given_up_unix_nano) for export in store.exports] == [
        ("/2", 0),
        ("/3", 7),
        ("/4", 0),
    ]
    assert [export.sequence for export in store.exports] == [3, 4, 5]
    assert held.given_up_unix_nano == 0


def test_a_limit_must_be_positive() -> None:
    with pytest.raises(ValueError, match="limit_bytes must be positive"):
        Store(limit_bytes=0)


def test_a_budget_holds_for_several_stores_together(make_export: Make) -> None:
    """Whoever floods pays for it, up to a quarter each; then all do."""
    one = weight(make_export())
    budget = Budget(8 * one)
    stores = [Store() for _ in range(6)]
    for store in stores:
        store.draw_on(budget)
    for _ in range(5):
        stores[0].append(make_export())
    assert (len(stores[0].exports), stores[0].forgotten) == (2, 3)
    for store in stores[1:4]:
        store.append(make_export())
        store.append(make_export())
    assert budget.taken == 8 * one
    stores[4].append(make_export())
    assert (stores[4].exports, stores[4].forgotten) == ((), 1)
    assert budget.taken == 8 * one


def test_what_nobody_keeps_is_given_back_to_the_budget(make_export: Make) -> None:
    budget = Budget(4 * weight(make_export()))
    store = Store()
    store.draw_on(budget)
    store.append(make_export())
    assert budget.taken == weight(make_export())
    store.give_back()
    assert budget.taken == 0
    store.append(make_export())
    store.give_back()
    assert budget.taken == 0


def test_what_had_already_arrived_is_seen_without_waiting(make_events: Make) -> None:
    store = Store()
    store.append(make_events("user_prompt"))
    assert store.wait_for(lambda exports: len(exports), 0) == 1
    assert store.wait_for_event("user_prompt", 0).body == "claude_code.user_prompt"
    assert Store().wait_for(lambda exports: not exports, 0) is True


def test_all_waiters_that_match_wake(make_metrics: Make, make_events: Make) -> None:
    store = Store()
    tried = threading.Barrier(21)

    def one(_: int) -> str:
        first = True

        def done(exports: tuple[Export, ...]) -> str:
            nonlocal first
            if first:
                first = False
                tried.wait(timeout=LONG_S)
            return next((point.metric.name for e in exports for point in e.data_points), "")

        return store.wait_for(done, LONG_S)

    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(one, n) for n in range(20)]
        tried.wait(timeout=LONG_S)
        store.append(make_events("user_prompt"))
        store.append(make_metrics(("m", 1, {})))
        assert [each.result(timeout=LONG_S) for each in waiting] == ["m"] * 20


def test_a_waiter_tries_on_arrivals_only() -> None:
    store = Store()
    calls: list[int] = []

    def never(exports: Sequence[Export]) -> None:
        calls.append(len(exports))

    with pytest.raises(DeadlineExceeded):
        store.wait_for(never, SHORT_S)
    # Once at the start, once more when time is up.
    assert calls == [0, 0]


def test_an_export_is_tried_once_by_an_item_waiter(make_export: Make) -> None:
    store = Store()
    tried: list[int] = []
    go = threading.Event()

    def find(export: Export) -> Export | None:
        tried.append(export.sequence)
        go.set()
        return export if export.sequence == 50 else None

    with ThreadPoolExecutor(1) as pool:
        store.append(make_export())
        waiting = pool.submit(store.wait_for_item, find, LONG_S)
        assert go.wait(timeout=LONG_S)
        for _ in range(60):
            store.append(make_export())
        assert waiting.result(timeout=LONG_S).sequence == 50
    assert tried == list(range(1, 51))


def test_an_item_waiter_copes_with_exports_forgotten_meanwhile(make_export: Make) -> None:
    store = Store(limit_bytes=2 * weight(make_export()))
    tried: list[int] = []
    entered = threading.Event()
    leave = threading.Event()

    def find(export: Export) -> bool:
        tried.append(export.sequence)
        entered.set()
        assert leave.wait(timeout=LONG_S)
        return export.sequence == 9

    with ThreadPoolExecutor(1) as pool:
        store.append(make_export())
        waiting = pool.submit(store.wait_for_item, find, LONG_S)
        assert entered.wait(timeout=LONG_S)
        for _ in range(8):
            store.append(make_export())
        leave.set()
        assert waiting.result(timeout=LONG_S) is True
    assert tried == [1, 8, 9]


def test_a_slow_predicate_does_not_hold_up_arrivals(make_export: Make) -> None:
    store = Store()
    inside = threading.Event()
    arrived = threading.Event()

    def slow(exports: Sequence[Export]) -> int:
        inside.set()
        assert arrived.wait(timeout=LONG_S)
        return len(exports)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(store.wait_for, slow, LONG_S)
        assert inside.wait(timeout=LONG_S)
        store.append(make_export())
        arrived.set()
        assert waiting.result(timeout=LONG_S) == 1


def test_what_a_predicate_raises_reaches_the_caller() -> None:
    store = Store()
    with pytest.raises(ZeroDivisionError):
        store.wait_for(lambda exports: 1 // len(exports), LONG_S)
    with pytest.raises(DeadlineExceeded):
        store.wait_for_exports(1, SHORT_S)


def test_steady_arrivals_do_not_stretch_the_deadline(make_export: Make) -> None:
    store = Store()

    def feed(exports: Sequence[Export]) -> None:
        # Something new is there after every try.
        store.append(make_export())

    with pytest.raises(DeadlineExceeded):
        store.wait_for(feed, SHORT_S)


def test_more_than_a_number_is_waited_for(make_export: Make) -> None:
    store = Store()
    store.append(make_export())
    assert store.wait_for_more(0, LONG_S)
    assert not store.wait_for_more(1, SHORT_S)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(store.wait_for_more, 1, LONG_S)
        store.append(make_export())
        assert waiting.result()
        closed = pool.submit(store.wait_for_more, 2, LONG_S)
        store.close()
        assert not closed.result()


def test_the_convenience_waits(make_metrics: Make, make_events: Make, make_export: Make) -> None:
    store = Store()
    store.append(make_metrics(("claude_code.cost.usage", 1, {}), rejected="scripted", status=503))
    store.append(make_metrics(("other", 1, {}), ("claude_code.cost.usage", 2, {})))
    store.append(make_events("api_request", "api_error"))
    assert store.wait_for_metric("claude_code.cost.usage", 0).value == 2
    assert store.wait_for_event("claude_code.api_error", 0).body == "claude_code.api_error"
    store.append(make_export(b"\xff"))  # taken as it is, by a collector that takes_damaged
    assert [export.sequence for export in store.wait_for_exports(2, 0)] == [2, 3]
    with pytest.raises(DeadlineExceeded, match="3 accepted exports"):
        store.wait_for_exports(3, 0)


def test_a_deadline_lists_what_was_seen(
    make_metrics: Make, make_events: Make, make_export: Make
) -> None:
    store = Store()
    store.append(make_metrics(("claude_code.token.usage", 1, {}), ("claude_code.x", 1, {})))
    store.append(make_events("user_prompt", "api_request", "api_request"))
    store.append(make_export(b"garbage"))
    store.append(make_export(b"", None, path="/wrong", status=404, rejected="no such path"))
    store.append(make_export(b"{}", Signal.TRACES))
    with pytest.raises(DeadlineExceeded) as caught:
        store.wait_for_metric("claude_code.token.usages", SHORT_S)
    message = str(caught.value)
    assert message.splitlines() == [
        "a data point of metric 'claude_code.token.usages': not seen within 0.05 s; seen so far:",
        "export 1: http/json metrics POST /v1/metrics status 200: 2 data points: "
        "claude_code.token.usage, claude_code.x",
        "export 2: http/json logs POST /v1/logs status 200: 3 events: user_prompt, api_request x2",
        message.splitlines()[3],
        "export 4: http/json no signal POST /wrong status 404: rejected: no such path",
        "export 5: http/json traces POST /v1/traces status 200: 0 spans",
        "nearest names: claude_code.token.usage",
    ]
    assert message.splitlines()[3].startswith(
        "export 3: http/json logs POST /v1/logs status 200: cannot be decoded: body is not JSON"
    )


def test_an_item_is_waited_for_by_its_attributes(make_metrics: Make) -> None:
    store = Store()
    store.append(make_metrics(("orders", 1, {"country": "fr"}), ("orders", 2, {"country": "de"})))
    assert store.wait_for_metric("orders", 0, {"country": "de"}).value == 2
    assert store.wait_for_metric("orders", 0).value == 1


def test_a_deadline_tells_the_nearest_misses(make_metrics: Make) -> None:
    store = Store()
    points = [{"country": "fr", "kind": "gift"}, {"country": "it"}, {"country": "fr"}, {}]
    store.append(make_metrics(*(("orders", 1, each) for each in points)))
    with pytest.raises(DeadlineExceeded) as caught:
        store.wait_for_metric("orders", 0, {"country": "de", "kind": "gift"})
    message = str(caught.value)
    assert "a data point of metric 'orders' with country='de', kind='gift': not seen" in message
    assert message.splitlines()[-4:] == [
        "nearest of that name:",
        "  country is 'fr', not 'de'",
        "  country is 'it', not 'de'; no kind; it has country",
        "  country is 'fr', not 'de'; no kind; it has country",
    ]


def test_a_refused_item_is_no_near_miss(make_metrics: Make) -> None:
    store = Store()
    store.append(make_metrics(("orders", 1, {"a": "b"}), status=503, rejected="busy"))
    with pytest.raises(DeadlineExceeded) as caught:
        store.wait_for_metric("orders", 0, {"a": "c"})
    assert "nearest of that name" not in str(caught.value)


def test_a_deadline_says_when_nothing_was_seen() -> None:
    with pytest.raises(DeadlineExceeded, match="my thing: not seen within 0 s") as caught:
        Store().wait_for(lambda exports: False, 0, what="my thing")
    assert str(caught.value).endswith("no export was seen")


def test_a_deadline_message_stays_readable(make_events: Make) -> None:
    store = Store()
    for _ in range(200):
        store.append(make_events(*(f"name{n}" for n in range(30))))
    with pytest.raises(DeadlineExceeded) as caught:
        store.wait_for_event("unlike_all", 0)
    lines = str(caught.value).splitlines()
    assert lines[1] == "200 exports, the last 40:"
    assert len(lines) == 42
    assert lines[-1].startswith("export 200: ")
    assert lines[-1].endswith("name11, and 18 more names")


def test_closing_ends_every_wait(make_events: Make) -> None:
    store = Store()
    store.append(make_events("user_prompt"))
    tried = threading.Barrier(6)

    def never(exports: Sequence[Export]) -> bool:
        if not store_closed.is_set():
            tried.wait(timeout=LONG_S)
        return False

    store_closed = threading.Event()
    with ThreadPoolExecutor(5) as pool:
        waiting = [pool.submit(store.wait_for, never, LONG_S, f"waiter {n}") for n in range(5)]
        tried.wait(timeout=LONG_S)
        store_closed.set()
        store.close()
        for n, each in enumerate(waiting):
            with pytest.raises(StoreClosedError, match=f"waiter {n}: the collector was closed"):
                each.result(timeout=LONG_S)
    store.close()
    with pytest.raises(StoreClosedError, match="user_prompt"):
        store.wait_for_exports(2, LONG_S)
    # What is there can still be asked for, and a late answer is not lost.
    store.append(make_events("late"))
    assert store.wait_for_event("late", LONG_S).body == "claude_code.late"
