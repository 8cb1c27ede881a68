"""The known deviations that apply to one subject: those that we list, and somebody's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from ..contract.versions import Version, VersionRange
from ..errors import HarnessError
from .listing import (
    NO_LISTING,
    PACKAGED,
    Listing,
    expired,
    known_names,
    packaged_listing,
)


@dataclass(frozen=True, slots=True)
class Expectation:
    """A listed deviation: ``requirement`` is known to fail on the releases of ``versions``.

    ``reason`` says how, ``evidence`` how it is known. An ``intermittent`` one depends on a race
    within the release: a run that does not show it proves nothing. A ``silent`` one is not that
    the promise is broken, but that nothing tells of it any more. ``listed_in`` is where the
    entry stands, ``newest_measured`` the newest release that it speaks for (None: it speaks for
    all), ``expires`` the last day on which it excuses (empty: no such day). One that is not
    ``accepted`` holds the release to the promise, whatever another list says. ``advice`` says
    what to do about it.
    """

    requirement: str
    versions: VersionRange
    reason: str
    evidence: str
    intermittent: bool = False
    listed_in: str = PACKAGED
    silent: bool = False
    newest_measured: Version | None = None
    expires: str = ""
    accepted: bool = True
    advice: str = ""

    def speaks_for(self, version: Version) -> bool:
        """Say whether the list was measured on this release, or on newer ones."""
        return self.newest_measured is None or version <= self.newest_measured


class Expectations:
    """The listed deviations that apply to one subject, by requirement.

    ``expired`` are those that would apply, but no longer excuse. ``newest_measured`` is the newest
    release that the list that comes with us was measured on, if the subject is newer than that;
    ``known_then`` are the requirements that it lists for that release.
    """

    def __init__(
        self,
        entries: Iterable[Expectation],
        expired: Iterable[Expectation] = (),
        newest_measured: Version | None = None,
        known_then: Iterable[str] = (),
    ) -> None:
        self._by_name: dict[str, Expectation] = {}
        for entry in entries:
            if entry.requirement in self._by_name:
                raise HarnessError(
                    f"{entry.listed_in}: two expectations apply to {entry.requirement}"
                )
            self._by_name[entry.requirement] = entry
        # What is listed as not accepted is judged as if nobody had listed it.
        for entry in [each for each in self._by_name.values() if not each.accepted]:
            del self._by_name[entry.requirement]
        self._expired = {entry.requirement: entry for entry in expired}
        self.newest_measured = newest_measured
        self.known_then = frozenset(known_then)

    def get(self, requirement: str) -> Expectation | None:
        return self._by_name.get(requirement)

    def expired(self, requirement: str) -> Expectation | None:
        """Return the entry about a requirement that no longer excuses, if there is one."""
        return self._expired.get(requirement)

    def __len__(self) -> int:
        return len(self._by_name)


#: A subject without known deviations.
NO_EXPECTATIONS = Expectations(())


def load_expectations(
    version: Version,
    *,
    names: Collection[str],
    own: Listing = NO_LISTING,
    packaged: bool = True,
    today: date | None = None,
) -> Expectations:
    """Return the deviations that are listed for a release, by us (if ``packaged``) and by others.

    Where both list one of the same requirement, somebody's ``own`` list is followed. What has
    expired before ``today`` (None: nothing has) is as if it were not listed.

    Raises :class:`HarnessError` for an entry about a requirement that is not in the catalogue
    (``names``), and where two entries of a list apply at once.
    """
    ours = packaged_listing() if packaged else NO_LISTING
    for listing in (ours, own):
        known_names(listing, names)
    of_ours = tuple(expectations_of(ours))
    theirs = [entry for entry in expectations_of(own) if version in entry.versions]
    in_force = [entry for entry in theirs if not _over(entry, today)]
    replaced = {entry.requirement for entry in in_force}
    still_ours = (
        entry
        for entry in of_ours
        if version in entry.versions and entry.requirement not in replaced
    )
    newest = _release(ours.newest_measured)
    return Expectations(
        (*still_ours, *in_force),
        (entry for entry in theirs if _over(entry, today)),
        newest if newest is not None and version > newest else None,
        (entry.requirement for entry in of_ours if newest in entry.versions) if newest else (),
    )


def packaged_list() -> tuple[Expectation, ...]:
    """Return every deviation that we list, for whichever releases."""
    return tuple(expectations_of(packaged_listing()))


def expectations_of(listing: Listing) -> Iterator[Expectation]:
    """Yield the listed deviations of requirements, each by itself."""
    for entry in listing.deviations:
        for name in entry.get("requirements", ()):
            yield Expectation(
                name,
                VersionRange.of(dict(entry)),
                entry["reason"],
                entry["evidence"],
                entry.get("intermittent", False),
                listing.file,
                entry.get("silent", False),
                _release(listing.newest_measured),
                entry.get("expires", ""),
                entry.get("accepted", True),
                entry.get("advice", ""),
            )


def _release(text: str) -> Version | None:
    return Version.parse(text) if text else None


def _over(entry: Expectation, today: date | None) -> bool:
    return expired(entry.expires, today)
