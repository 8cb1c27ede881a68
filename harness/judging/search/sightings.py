"""Search every byte of every export of a run for all its secrets at once."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ...capture.capture import Capture
from ...capture.export import Export
from ...otlp.messages import Encoding
from .needles import Haystack, Needle, needle
from .places import texts_of
from .readings import Form, readings

#: What may be text within an encoded message: tags and lengths between them are mostly control
#: characters.
_TEXT = re.compile(rb"[\0\t\n\r\x20-\x7e\x80-\xff]{8,}")
_QUOTE, _ESCAPED_QUOTE, _STAND_IN = b'"', b'\\"', b"\x01"

#: JSON escapes what it likes, and writes bytes in base64: what an item says in one of these
#: forms, its body may say in another.
_OF_JSON = frozenset({str(Form.RAW), str(Form.ESCAPED), str(Form.BASE64), str(Form.UTF_16)})


@dataclass(frozen=True, slots=True, order=True)
class Sighting:
    """A place where a secret was found, such as ``logs tool_result attributes.error``.

    ``canary`` is what kind of secret it is. ``form`` is how it was written there (see
    :class:`harness.judging.search.readings.Form`), or the name of the hash of it. ``shown`` is
    the part of it that was found, ``headers`` the places of the headers in which it may be sent.
    """

    canary: str
    place: str
    form: str
    headers: tuple[str, ...] = ()
    shown: str = ""


_Hit = tuple[Needle, str, str]

#: By the identity of the capture: to hash one would take longer than to search it.
_FOUND: dict[int, tuple[Sighting, ...]] = {}


def sightings(capture: Capture) -> tuple[Sighting, ...]:
    """Return every place and form in which a secret of the run was exported, each once.

    A capture is searched once, however often it is asked for.
    """
    key = id(capture)
    if key not in _FOUND:
        found = tuple(sorted(_search(capture)))
        weakref.finalize(capture, _FOUND.pop, key, None)
        _FOUND[key] = found
    return _FOUND[key]


def _search(capture: Capture) -> set[Sighting]:
    needles = [needle(secret) for secret in capture.run.truth.hidden if secret.text]
    if not needles or not capture.exports:
        return set()
    around = [_around(export) for export in capture.exports]
    within = [_within(export) for export in capture.exports]
    texts = {text for each in around for _, text in each}.union(*within)
    haystack = Haystack.of([reading for text in texts for reading in readings(text)])
    suspects = tuple(one for one in needles if one.may_be_in(haystack))
    if not suspects:
        return set()
    searched = _searched(suspects)
    return {
        sighting
        for export, headers, chunks in zip(capture.exports, around, within, strict=True)
        for sighting in searched.in_export(export, headers, chunks)
    }


class _Searched:
    """Texts and the secrets found in each; each text is searched once."""

    def __init__(self, suspects: tuple[Needle, ...]) -> None:
        self.suspects = suspects
        self._hits: dict[bytes, tuple[_Hit, ...]] = {}

    def hits(self, text: bytes) -> tuple[_Hit, ...]:
        """Return each secret that the text shows, in the first form that shows it."""
        if text not in self._hits:
            self._hits[text] = tuple(self._search(text))
        return self._hits[text]

    def _search(self, text: bytes) -> Iterator[_Hit]:
        read = readings(text)
        haystack = Haystack.of(read)
        for one in self.suspects:
            if one.may_be_in(haystack):
                shown = next(filter(None, map(one.found_in, read)), None)
                if shown:
                    yield one, *shown

    def in_export(
        self, export: Export, around: Sequence[tuple[str, bytes]], within: set[bytes]
    ) -> Iterator[Sighting]:
        """Yield where one request shows a secret: its items, else somewhere in its body."""
        for place, text in around:
            for one, form, shown in self.hits(text):
                yield _sighting(one, place, form, shown)
        in_body = {(one, form): shown for chunk in within for one, form, shown in self.hits(chunk)}
        # JSON may tear a text apart by its escapes: what it says is known once it is decoded.
        if not in_body and export.encoding is not Encoding.JSON:
            return
        located: dict[Needle, set[str]] = {}
        for place, text in texts_of(export):
            for one, form, shown in self.hits(text):
                located.setdefault(one, set()).add(form)
                yield _sighting(one, place, form, shown)
        yield from _elsewhere(export, in_body, located)


@lru_cache(maxsize=8)
def _searched(suspects: tuple[Needle, ...]) -> _Searched:
    """Return what was searched for these: a capture is judged again with little changed."""
    return _Searched(suspects)


def _elsewhere(
    export: Export, in_body: Mapping[tuple[Needle, str], str], located: Mapping[Needle, set[str]]
) -> Iterator[Sighting]:
    """Yield what the body shows and no item does: unknown fields, and what is no message."""
    for (one, form), shown in in_body.items():
        forms = located.get(one, set())
        if export.encoding is Encoding.JSON and forms & _OF_JSON:
            forms = forms | _OF_JSON
        if form not in forms:
            where = "unknown field" if export.message is not None else "body"
            yield _sighting(one, f"{export.signal or 'unrecognised'} {where}", form, shown)


def _sighting(one: Needle, place: str, form: str, shown: str) -> Sighting:
    return Sighting(one.secret.kind, place, form, one.secret.headers, shown)


def _around(export: Export) -> list[tuple[str, bytes]]:
    """Return the headers and the path of a request, with the names of their places."""
    signal = str(export.signal or "unrecognised")
    return [
        (f"{signal} path", export.path.encode("utf-8", "replace")),
        *(
            (f"{signal} header {name.lower()}", part.encode("utf-8", "replace"))
            for name, value in export.headers
            for part in (value, name)
        ),
    ]


def _within(export: Export) -> set[bytes]:
    """Return the texts in the body of a request, each once.

    A body whose content encoding cannot be undone is searched as it came.
    """
    body = export.body if export.content is None else export.content
    if export.decode_error is None and export.encoding is Encoding.JSON:
        # No text of a body without items would be told from the next one by its quotes.
        apart = body.replace(_ESCAPED_QUOTE, _STAND_IN).split(_QUOTE)
        return {text.replace(_STAND_IN, _ESCAPED_QUOTE) for text in apart}
    return set(_TEXT.findall(body))
