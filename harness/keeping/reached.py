"""Read from packets what somebody tried to reach."""

from __future__ import annotations

import ipaddress
import socket
import struct

_TCP, _UDP, _DNS = 6, 17, 53
_SYN, _ACK = 0x02, 0x10
_NAMES_AT = 12


def reached(packet: bytes) -> str:
    """Return what a packet tries to reach, like ``github.com`` or ``8.8.8.8:443 (tcp)``.

    It is empty for what tries nothing: an answer, or what cannot be read.
    """
    try:
        address, protocol, rest = _addressed(packet)
        (port,) = struct.unpack_from("!H", rest, 2)
        if protocol == _UDP and port == _DNS:
            name = _name(rest[8:])
            return "" if _is_loopback(name) else name
        if address.is_loopback:
            return ""
        place = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
        if protocol == _UDP:
            return f"{place} (udp)"
        begins = protocol == _TCP and rest[13] & (_SYN | _ACK) == _SYN
    except (IndexError, ValueError, struct.error):
        return ""
    return f"{place} (tcp)" if begins else ""


def _addressed(
    packet: bytes,
) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int, bytes]:
    """Return to whom a packet goes, by which protocol, and what is in it."""
    if packet[0] >> 4 == 6:
        return ipaddress.IPv6Address(packet[24:40]), packet[6], packet[40:]
    length = (packet[0] & 0x0F) * 4
    return ipaddress.IPv4Address(packet[16:20]), packet[9], packet[length:]


def _name(question: bytes) -> str:
    """Return the name that a question of DNS is about."""
    labels, at = [], _NAMES_AT
    while length := question[at]:
        label = question[at + 1 : at + 1 + length]
        if len(label) < length or length > 63:
            raise ValueError("cut off")
        labels.append(label.decode("ascii", "backslashreplace"))
        at += 1 + length
    return ".".join(labels)


def _is_loopback(name: str) -> bool:
    """Say whether a name is this machine's own.

    By RFC 6761 no resolver may ask others for it, but some releases do (2.1.263): it would stand
    in every report of theirs, and tells of nobody else whom they try to reach.
    """
    return f".{name.lower()}".endswith(".localhost")


def all_reached(watching: tuple[socket.socket, ...]) -> tuple[str, ...]:
    """Return what was tried since the last call, each once, in its order."""
    found: dict[str, None] = {}
    for watch in watching:
        while packet := _next(watch):
            if what := reached(packet):
                found[what] = None
    return tuple(found)


def _next(watch: socket.socket) -> bytes:
    try:
        return watch.recv(65535, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return b""
