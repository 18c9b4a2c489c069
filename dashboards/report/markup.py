"""HTML from data: text is escaped unless it is Html already."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class Html(str):
    """Markup that may stand on the page as it is."""


def safe(value: object) -> Html:
    return value if isinstance(value, Html) else Html(html.escape(str(value), quote=True))


def join(parts: Iterable[object]) -> Html:
    return Html("".join(safe(part) for part in parts))


def tag(name: str, *content: object, **attributes: object) -> Html:
    """`class_` and `aria_label` are spelled class and aria-label; None leaves an attribute out."""
    spelled = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{safe(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{spelled}>{join(content)}</{name}>")


@dataclass(frozen=True)
class Column:
    """`kind` is text or number; a minor column is left out on a phone."""

    title: str
    kind: str = "number"
    is_minor: bool = False

    @property
    def css(self) -> str:
        return f"{self.kind} minor" if self.is_minor else self.kind


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[object]],
    *,
    is_caption_shown: bool = True,
) -> Html:
    """A table whose first column names the row; a caption that is not shown is for screen readers."""
    head = join(tag("th", column.title, scope="col", class_=column.css) for column in columns)
    body = join(
        tag(
            "tr",
            *(
                tag("th", cell, scope="row", class_=column.css) if index == 0 else tag("td", cell, class_=column.css)
                for index, (column, cell) in enumerate(zip(columns, row, strict=True))
            ),
        )
        for row in rows
    )
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption, class_=None if is_caption_shown else "unseen"),
            tag("thead", tag("tr", head)),
            tag("tbody", body),
        ),
        class_="scroll",
        role="region",
        aria_label=caption,
        tabindex="0",
    )
