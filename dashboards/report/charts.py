"""Charts as SVG. The drawing stretches with the page; words stand beside it as HTML and do not."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dashboards.report.markup import Html, join, tag

WIDTH, HEIGHT = 1000.0, 200.0
# What a label takes of the chart's height.
LABEL_SHARE = 0.15


@dataclass(frozen=True)
class Point:
    """One day: `label` for the axis, `text` for the tooltip."""

    label: str
    value: float
    text: str
    is_complete: bool = True


def nice_ceiling(value: float) -> float:
    """The least of 1, 2, 4, 5, 6, 8 or 10 times a power of ten that is not below `value`."""
    if value <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 5, 6, 8, 10) if value <= step * power * (1 + 1e-9))


def _ticks(top: float, bottom: float) -> list[float]:
    """The values that are written beside the chart, from top to bottom: none so near to 0 that both would overlap, and
    no half, which would be written as the whole number beside it."""
    apart = LABEL_SHARE * (top - bottom)
    if -bottom < apart:
        ticks = [top, top / 2, 0.0]
    else:
        ticks = [top, 0.0, bottom] if top >= apart else [0.0, bottom / 2, bottom]
    return [tick for tick in ticks if tick.is_integer()]


def trend(title: str, points: Sequence[Point], write: Callable[[float], str], *, as_bars: bool) -> Html:
    """A line or bars over days; the last day is drawn apart while it is not over."""
    top = nice_ceiling(max((point.value for point in points), default=0.0)) or 1.0
    bottom = -nice_ceiling(-min((point.value for point in points), default=0.0))
    step = WIDTH / max(1, len(points))

    def x(index: int) -> float:
        return step * (index + 0.5)

    def y(value: float) -> float:
        return HEIGHT * (top - value) / (top - bottom)

    ticks = _ticks(top, bottom)
    grid = join(_line(0, y(tick), WIDTH, y(tick), "zero" if tick == 0 else "grid") for tick in ticks)
    shapes = _bars(points, x, y, step) if as_bars else _area(points, x, y)
    hits = join(
        tag(
            "rect",
            tag("title", point.text),
            x=_n(x(index) - step / 2),
            y="0",
            width=_n(step),
            height=_n(HEIGHT),
            class_="hit",
        )
        for index, point in enumerate(points)
    )
    drawing = tag(
        "svg",
        grid,
        shapes,
        hits,
        viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"{title}. The numbers are in the table of days below.",
    )
    axis = join(tag("span", write(tick), style=f"top:{100 * y(tick) / HEIGHT:.2f}%") for tick in ticks)
    labels = join(
        tag("span", points[index].label, style=f"left:{100 * x(index) / WIDTH:.2f}%", class_=place)
        for index, place in _labelled(len(points))
    )
    return tag(
        "figure",
        tag("figcaption", title),
        tag(
            "div",
            tag("div", axis, class_="y"),
            tag("div", drawing, class_="plot"),
            tag("div", labels, class_="x"),
            class_="chart",
        ),
    )


def bar(share: float, css: str = "") -> Html:
    """A bar of `share` of the room it has; decoration beside a number, so unseen by screen readers."""
    width = 100 * min(1.0, max(0.0, share))
    return tag("span", tag("span", style=f"width:{width:.2f}%"), class_=f"bar {css}".strip(), aria_hidden="true")


def _area(points: Sequence[Point], x: Callable[[int], float], y: Callable[[float], float]) -> Html:
    whole = [index for index, point in enumerate(points) if point.is_complete]
    path = " ".join(f"{_n(x(index))},{_n(y(points[index].value))}" for index in whole)
    parts = []
    if whole:
        base = _n(y(0))
        parts.append(tag("polygon", points=f"{_n(x(whole[0]))},{base} {path} {_n(x(whole[-1]))},{base}", class_="area"))
        parts.append(tag("polyline", points=path, class_="line"))
    for index, point in enumerate(points):
        if not point.is_complete and index:
            parts.append(_line(x(index - 1), y(points[index - 1].value), x(index), y(point.value), "line open"))
    return join(parts)


def _bars(points: Sequence[Point], x: Callable[[int], float], y: Callable[[float], float], step: float) -> Html:
    return join(
        tag(
            "rect",
            x=_n(x(index) - 0.36 * step),
            y=_n(min(y(point.value), y(0))),
            width=_n(0.72 * step),
            height=_n(abs(y(point.value) - y(0))),
            class_="column" if point.is_complete else "column open",
        )
        for index, point in enumerate(points)
    )


def _labelled(number: int) -> list[tuple[int, str]]:
    """Which days get a label: the first, the last and up to three between, with their class."""
    if number == 0:
        return []
    if number == 1:
        return [(0, "middle")]
    between = [round((number - 1) * part / 4) for part in (1, 2, 3)] if number >= 9 else []
    return [(0, "first"), *((index, "middle") for index in between), (number - 1, "last")]


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> Html:
    return tag("line", x1=_n(x1), y1=_n(y1), x2=_n(x2), y2=_n(y2), class_=css)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
