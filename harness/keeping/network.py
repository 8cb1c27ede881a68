"""Enter a network of its own, in which nothing but loopback exists, and see what is tried there.

Every address is routed to loopback, where nobody listens: whoever tries to reach another machine is
refused at once, and the packet in which it was tried is kept for us to read.

Only the standard library is imported: this is part of the keeper.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1
_IFREQ = struct.Struct("16sh14x")

_RTM_NEWROUTE = 24
#: NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE.
_FLAGS = 0x1 | 0x4 | 0x400
_RT_TABLE_LOCAL, _RTPROT_BOOT, _RTN_LOCAL = 255, 3, 2
_RT_SCOPE_HOST = 254
_RTA_OIF = 4

_REACHED_S = 10.0

_ETH_P_IP, _ETH_P_IPV6 = 0x0800, 0x86DD
_SO_ATTACH_FILTER = 26
_LOAD_BYTE, _LOAD_HALF, _LOAD_WORD, _IF_EQUAL, _RETURN = 0x30, 0x28, 0x20, 0x15, 0x06
_WHOLE, _NOTHING = 0xFFFF, 0

#: What goes to other machines, and questions for names, whoever is asked.  A jump says how many
#: instructions are left out if it holds, and if it does not.
_IPV4 = (
    (_LOAD_BYTE, 0, 0, 16),  # where to: its first byte
    (_IF_EQUAL, 1, 0, 127),
    (_RETURN, 0, 0, _WHOLE),
    (_LOAD_BYTE, 0, 0, 9),  # the protocol
    (_IF_EQUAL, 0, 3, socket.IPPROTO_UDP),
    (_LOAD_HALF, 0, 0, 22),  # the port
    (_IF_EQUAL, 0, 1, 53),
    (_RETURN, 0, 0, _WHOLE),
    (_RETURN, 0, 0, _NOTHING),
)
_IPV6 = (
    (_LOAD_WORD, 0, 0, 24),
    (_IF_EQUAL, 0, 7, 0),
    (_LOAD_WORD, 0, 0, 28),
    (_IF_EQUAL, 0, 5, 0),
    (_LOAD_WORD, 0, 0, 32),
    (_IF_EQUAL, 0, 3, 0),
    (_LOAD_WORD, 0, 0, 36),
    (_IF_EQUAL, 0, 1, 1),
    (_RETURN, 0, 0, _NOTHING),
    (_RETURN, 0, 0, _WHOLE),
)


def enter() -> tuple[socket.socket, ...]:
    """Enter a network of its own; return the sockets at which is seen what is tried in it.

    Raises OSError where the machine does not allow it. Processes that are started afterwards are
    in that network, and so are sockets that are made afterwards, whoever uses them.
    """
    _unshare()
    _bring_loopback_up()
    _route_everything_to_loopback(socket.AF_INET)
    with contextlib.suppress(OSError):  # there need not be IPv6
        _route_everything_to_loopback(socket.AF_INET6)
    return (_watching(_ETH_P_IP, _IPV4), _watching(_ETH_P_IPV6, _IPV6))


def check_loopback() -> None:
    """Raise OSError if nobody can be reached over loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), _REACHED_S).close()


def _unshare() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0 and libc.unshare(_CLONE_NEWNET) == 0:
        return
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    # The same person as outside.
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path("/proc/self", name).write_text(text)


def _bring_loopback_up() -> None:
    with socket.socket() as any_socket:
        asked = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, _IFREQ.pack(b"lo", 0))
        flags = _IFREQ.unpack(asked)[1]
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, _IFREQ.pack(b"lo", flags | _IFF_UP))


def _route_everything_to_loopback(family: int) -> None:
    attribute = struct.pack("HHi", 8, _RTA_OIF, socket.if_nametoindex("lo"))
    kind = (_RT_TABLE_LOCAL, _RTPROT_BOOT, _RT_SCOPE_HOST, _RTN_LOCAL, 0)
    body = struct.pack("BBBBBBBBI", family, 0, 0, 0, *kind) + attribute
    message = struct.pack("IHHII", 16 + len(body), _RTM_NEWROUTE, _FLAGS, 1, 0) + body
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as routes:
        routes.send(message)
        (answer,) = struct.unpack_from("i", routes.recv(4096), 16)
    if answer:
        raise OSError(-answer, os.strerror(-answer))


def _watching(protocol: int, program: tuple[tuple[int, int, int, int], ...]) -> socket.socket:
    # Without a protocol, it gets nothing until the filter is there.
    made = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    held = ctypes.create_string_buffer(code)
    asked = struct.pack("HL", len(program), ctypes.addressof(held))
    made.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, asked)
    made.bind(("lo", protocol))
    return made
