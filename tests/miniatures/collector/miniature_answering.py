"""Faults of a receiver: how it answers what is sent to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from miniature_receiving import Behaviour, Reply

from harness.otlp.messages import Encoding

Headers = Mapping[str, str]


def ok_to_garbage(server: Behaviour, path: str, headers: Headers, body: bytes) -> Reply:
    reply = server.post(path, headers, body)
    if reply.status != 400 or headers.get("content-encoding"):
        return reply
    return replace(reply, status=200, body=b"{}" if "json" in reply.content_type else b"")


def error_to_garbage(server: Behaviour, path: str, headers: Headers, body: bytes) -> Reply:
    reply = server.post(path, headers, body)
    return replace(reply, status=500) if reply.status == 400 else reply


def ignores_gzip(server: Behaviour, path: str, headers: Headers, body: bytes) -> Reply:
    """See no telemetry in what is compressed, and do not miss it."""
    if headers.get("content-encoding") == "gzip":
        empty = b"{}" if "json" in headers["content-type"] else b""
        return server.post(path, {**headers, "content-encoding": ""}, empty)
    return server.post(path, headers, body)


def plain_text(server: Behaviour, path: str, headers: Headers, body: bytes) -> Reply:
    return replace(server.post(path, headers, body), content_type="text/plain")


def accepted_202(server: Behaviour, path: str, headers: Headers, body: bytes) -> Reply:
    reply = server.post(path, headers, body)
    return replace(reply, status=202) if reply.status == 200 else reply


def words_alone(server: Behaviour, path: str, headers: Headers, body: bytes) -> Reply:
    """Answer errors in words, as most HTTP servers do."""
    reply = server.post(path, headers, body)
    return reply if reply.status == 200 else replace(reply, body=b"that was wrong")


def no_strangers(server: Behaviour, path: str, headers: Headers, body: bytes) -> Reply:
    """Refuse what has fields that nobody knows."""
    if b"unheardOf" in body or b"\xda\x3e\x04text" in body:
        return server.refused(400, Encoding(headers["content-type"]), "an unknown field")
    return server.post(path, headers, body)


def loses_strangers(server: Behaviour, path: str, headers: Headers, body: bytes) -> Reply:
    """Lose what has fields that nobody knows."""
    reply = no_strangers(server, path, headers, body)
    return (
        reply
        if reply.status != 400 or b"unknown" not in reply.body
        else replace(reply, status=200, body=b"{}" if "json" in reply.content_type else b"")
    )


def closes_on_chunks(server: Behaviour, path: str, headers: Headers, body: bytes) -> Reply | None:
    if "chunked" in headers.get("transfer-encoding", ""):
        return None
    return server.post(path, headers, body)


def wants_a_length(server: Behaviour, path: str, headers: Headers, body: bytes) -> Reply:
    if "chunked" in headers.get("transfer-encoding", ""):
        return server.refused(411, Encoding(headers["content-type"]), "how long?")
    return server.post(path, headers, body)


def twice(server: Behaviour, path: str, headers: Headers, body: bytes) -> Reply:
    before = len(server.exports)
    reply = server.post(path, headers, body)
    with server.lock:
        if before % 10 == 0 and len(server.exports) > before:
            server.exports.append(server.exports[-1])
    return reply


def anybody(server: Behaviour, path: str, headers: Headers, body: bytes) -> Reply:
    """Look at no credentials."""
    owner = {**headers, "authorization": "Bearer right"}
    return server.post(path, owner, body)


def closes_connections(server: Behaviour, path: str, headers: Headers, body: bytes) -> Reply:
    """Answer, and close the connection."""
    return replace(server.post(path, headers, body), closes=True)


def json_to_protobuf(server: Behaviour, path: str, headers: Headers, body: bytes) -> Reply:
    """Answer in JSON, whatever was asked in."""
    reply = server.post(path, headers, body)
    if reply.status != 200:
        return reply
    return replace(reply, content_type="application/json", body=b"{}")
