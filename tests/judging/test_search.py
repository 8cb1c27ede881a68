"""Parts, encodings and hashes of secrets are found, in every run's exports."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.run import A_PART, GroundTruth, Secret
from harness.judging.search.readings import readings
from harness.judging.search.sightings import sightings
from harness.otlp.model import Protocol

if TYPE_CHECKING:
    from tests.conftest import Exporter, Viewer

KEY = "sk-ant-api03-no-door-KvWqzTmxYRhLjNgP"
PROMPT = "Übe mit 漢字: sage “hallo”,\nund dann noch etwas."
WORD = "zqmkplrtyo"
HIDDEN = GroundTruth(
    secrets=(
        Secret("api_key", KEY, A_PART),
        Secret("prompt", PROMPT, 16),
        Secret("prompt", WORD, A_PART),
        Secret("folder", "cc-otel-5fb7a786"),
        Secret("collector_header", "a-token-of-ours", A_PART, ("logs header x-token",)),
    )
)
KEY_PARTS = [KEY[at : at + A_PART] for at in range(len(KEY) - A_PART + 1)]


def seen(viewer: Viewer, protocol: Protocol = Protocol.HTTP_JSON, **made: Any) -> set[str]:
    found = sightings(viewer(truth=HIDDEN, protocol=protocol, **made).capture)
    return {f"{each.canary} {each.form}" for each in found}


def event(value: object) -> dict[str, Any]:
    return {"events": [{"body": "claude_code.x", "attributes": {"k": value}}]}


@pytest.mark.parametrize("protocol", list(Protocol))
@pytest.mark.parametrize("part", KEY_PARTS)
def test_any_part_of_a_key_is_found(viewer: Viewer, part: str, protocol: Protocol) -> None:
    assert seen(viewer, protocol, **event(f"({part})")) == {"api_key raw"}


@pytest.mark.parametrize("around", [b"", b"a", b"ab", b"\xff\xfe\xfd"])
@pytest.mark.parametrize("part", KEY_PARTS[::5])
def test_a_part_in_base64(viewer: Viewer, part: str, around: bytes) -> None:
    whole = around + part.encode() + around
    for written in (base64.b64encode(whole), base64.urlsafe_b64encode(whole)):
        assert seen(viewer, **event(written.decode())) == {"api_key base64"}
        assert seen(viewer, **event(f"note0{written.decode()}")) == {"api_key base64"}


@pytest.mark.parametrize("part", [KEY[:8], KEY[5:13], KEY[-8:]])
def test_a_part_in_each_encoding(viewer: Viewer, part: str) -> None:
    wide = part.encode("utf-16-le")
    written = {
        "hex": [part.encode().hex(), f"a{part.encode().hex().upper()}", wide.hex()],
        "percent": ["".join(f"%{ord(c):02x}" for c in part), f"%{ord(part[0]):02X}{part[1:]}"],
        "escaped": ["".join(f"\\u{ord(c):04x}" for c in part), f"\\u{ord(part[0]):04X}{part[1:]}"],
        "utf-16": [wide.decode(), part.encode("utf-16-be").decode()],
        "base64": [base64.b64encode(wide).decode()],
    }
    for form, texts in written.items():
        for text in texts:
            for protocol in Protocol:
                assert seen(viewer, protocol, **event(text)) == {f"api_key {form}"}, text


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha512"])
def test_a_hash_of_the_whole_is_found(viewer: Viewer, name: str) -> None:
    digest = hashlib.new(name, KEY.encode()).digest()
    for written in (digest.hex(), digest.hex().upper(), f"{name}:{digest.hex()[:16]}"):
        assert seen(viewer, **event(written)) == {f"api_key {name} in hex"}
    for text in (base64.b64encode(digest), base64.urlsafe_b64encode(digest)):
        assert seen(viewer, **event(f"{name}-{text.decode()}")) == {f"api_key {name} in base64"}


@pytest.mark.parametrize("protocol", list(Protocol))
@pytest.mark.parametrize("part", [PROMPT, PROMPT[:16], PROMPT[-16:], PROMPT[10:30], PROMPT[20:40]])
def test_the_beginning_middle_and_end_of_a_text(
    viewer: Viewer, part: str, protocol: Protocol
) -> None:
    for text in (part, json.dumps(part), json.dumps({"a": json.dumps(part)})):
        forms = seen(viewer, protocol, **event(text))
        assert forms
        assert forms <= {"prompt raw", "prompt escaped"}


def test_a_word_of_a_run_is_found_in_parts_and_a_folder_only_as_a_whole(viewer: Viewer) -> None:
    assert seen(viewer, **event(f"etwas ({WORD[:8]}")) == {"prompt raw"}
    assert seen(viewer, **event("/tmp/cc-otel-5fb7a786/home")) == {"folder raw"}
    assert seen(viewer, **event("/tmp/cc-otel-5fb7a78")) == set()


@pytest.mark.parametrize("text", ["", "sk-ant-", KEY[::2], "Übe mit 漢", KEY.lower()[-16:]])
def test_what_is_no_part_is_not_found(viewer: Viewer, text: str) -> None:
    assert seen(viewer, **event(text)) == set()


@pytest.mark.parametrize("protocol", list(Protocol))
def test_a_field_that_nothing_knows_is_searched(
    viewer: Viewer, exporter: Exporter, protocol: Protocol
) -> None:
    export = exporter(protocol=protocol, **event("x"))
    if protocol is Protocol.HTTP_JSON:
        body = export.body[:-1] + json.dumps({"": KEY[3:20]})[1:-1].join([",", "}"]).encode()
    else:  # field 100, length-delimited
        text = KEY[3:20].encode()
        body = export.body + b"\xa2\x06" + bytes([len(text)]) + text
    assert seen(viewer, protocol, exports=[exporter(protocol=protocol, body=body)]) == {
        "api_key raw"
    }


def test_a_sighting_tells_the_headers_that_the_secret_is_meant_for(
    viewer: Viewer, exporter: Exporter
) -> None:
    export = exporter(headers=(("X-Token", "a-token-of-ours"),), **event("a-token-"))
    found = sightings(viewer(truth=HIDDEN, exports=[export]).capture)
    assert [(each.place, each.shown, each.headers) for each in found] == [
        ("logs header x-token", "a-token-of-ours", ("logs header x-token",)),
        ("logs x attributes.k", "a-token-", ("logs header x-token",)),
    ]


def test_a_long_secret_is_found_by_its_ends_and_its_hash(viewer: Viewer) -> None:
    long = "".join(chr(0x4E00 + n) for n in range(20_000))
    truth = GroundTruth(secrets=(Secret("prompt", long, 16),))
    digest = hashlib.sha256(long.encode()).hexdigest()
    for text in (long, long[:8], long[-8:], digest):
        assert sightings(viewer(truth=truth, **event(text)).capture), text[:20]
    assert not sightings(viewer(truth=truth, **event(long[10_000:10_008])).capture)


@pytest.mark.parametrize("filler", [50_001, 50_002, 50_003])
def test_filler_hides_nothing(viewer: Viewer, filler: int) -> None:
    for text in (KEY, base64.b64encode(b"x" * filler + KEY.encode()).decode(), KEY.encode().hex()):
        assert seen(viewer, **event(f"{'a' * filler}{text}{'a' * filler}")), text[-20:]


def test_a_capture_is_searched_once(viewer: Viewer) -> None:
    capture = viewer(truth=HIDDEN, **event(KEY)).capture
    assert sightings(capture) is sightings(capture)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (rb"\n\u00fc\/\"", b'\n\xc3\xbc/"'),
        (rb"\ud83d\ude00", "😀".encode()),
        (rb"\ud83d", "\N{REPLACEMENT CHARACTER}".encode()),
        (rb"\x41\\u0042", rb"A\u0042"),
        (rb"\\u0042", b"B"),
        (b"50%25 off", b"50% off"),
        (b"%", b"%"),
    ],
)
def test_readings(text: bytes, read: bytes) -> None:
    assert read in {each for _, each in readings(text)}
