"""Render latencies as a table with a small chart in each row, all on one scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..record.latency import Latency
from .line import Line

_BLOCKS = "▁▂▃▄▅▆▇█"
#: Columns of the chart; with a wider range, several classes share one.
_WIDEST = 40


def render(
    latencies: Sequence[Latency], title: str = "latency from sending to coming out (ms)"
) -> Iterator[Line]:
    """Render a row for each of the latencies, under ``title``; nothing where there are none."""
    if not latencies:
        return
    bars = [bar for each in latencies for bar in each.histogram]
    first, last = min(bar.number for bar in bars), max(bar.number for bar in bars)
    step = (last - first) // _WIDEST + 1
    width = (last - first) // step + 1
    low = min(bar.up_to_ms for bar in bars)
    high = max(bar.up_to_ms for bar in bars)
    scale = f"up to {shown(low)} … {shown(high)}"
    names = [f"{each.where} {each.signal}".rstrip() for each in latencies]
    wide = max(map(len, names))
    figures = "".join(f"{name:>10}" for name in ("p50", "p90", "p99", "max"))
    yield Line(title)
    yield Line(f"  {'':{wide}}{'number':>9}{figures}  {scale}")
    for each, name in zip(latencies, names, strict=True):
        values = (each.p50_ms, each.p90_ms, each.p99_ms, each.max_ms)
        figures = "".join(f"{_figure(value):>10}" for value in values)
        chart = _chart(each, first, step, width)
        yield Line(f"  {name:{wide}}{each.items:>9,}{figures}  {chart}".rstrip())


def shown(milliseconds: float) -> str:
    """Write a time as people do: ``0.8 ms``, ``25 ms``, ``1.3 s``."""
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.1f} s"
    if milliseconds >= 10:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds:.1f} ms" if milliseconds >= 1 else f"{milliseconds:.2f} ms"


def _figure(milliseconds: float) -> str:
    return f"{milliseconds:.2f}" if milliseconds < 1 else f"{milliseconds:,.1f}"


def _chart(latency: Latency, first: int, step: int, width: int) -> str:
    heights = [0] * width
    for bar in latency.histogram:
        heights[(bar.number - first) // step] += bar.items
    highest = max(heights)
    return "".join(
        _BLOCKS[(height * len(_BLOCKS) - 1) // highest] if height else " " for height in heights
    )
