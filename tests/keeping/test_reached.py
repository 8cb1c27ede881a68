from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.keeping.reached import reached

#: As they were seen on a loopback to which everything is routed.
SYN = (
    "4500003c79ac40004006a0f00808080808080808b98001bb3d26d03c00000000"
    "a002ffd7204e00000204ffd70402080a1cbfe78c000000000103030a"
)
RESET = "450000280000400040061ab1080808080808080801bbb980000000003d26d03d50140000c7110000"
QUESTION = (
    "45000038850040004011a14b0affff350affff359e1300350024149ff3aa0100000100000000000006"
    "67697468756203636f6d0000010001"
)
UNREACHABLE = "45c00054fe0400004001677b0affff350affff3503034a7f00000000" + QUESTION
SYN_V6 = (
    "60021694002806400000000000000000000000000000000120010db8000000000000000000000001"
    "86ac0050e5f53b9d00000000a002ffc42de900000000000000000000000000000000000000000000"
)


def _asking(name: str) -> str:
    labels = b"".join(bytes([len(label)]) + label for label in name.encode().split(b"."))
    return QUESTION.replace("0667697468756203636f6d", labels.hex())


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (SYN, "8.8.8.8:443 (tcp)"),
        (SYN_V6, "[2001:db8::1]:80 (tcp)"),
        (QUESTION, "github.com"),
        # What is asked of a resolver on this machine is a name all the same.
        (QUESTION.replace("0affff35", "7f000035"), "github.com"),
        # This machine's own name tells of nobody else.
        # This machine's own names tell of nobody else; names that look like them do.
        (_asking("localhost"), ""),
        (_asking("App.LocalHost"), ""),
        (_asking("notlocalhost"), "notlocalhost"),
        (_asking("localhost.com"), "localhost.com"),
        (RESET, ""),
        (UNREACHABLE, ""),
        (SYN.replace("08080808", "7f000001"), ""),
        (QUESTION.replace("0035", "0036"), "10.255.255.53:54 (udp)"),
    ],
)
def test_it_is_told_what_a_packet_tries_to_reach(packet: str, expected: str) -> None:
    assert reached(bytes.fromhex(packet)) == expected


@given(st.binary(max_size=80), st.sampled_from([b"", *map(bytes.fromhex, (SYN, QUESTION, SYN_V6))]))
def test_what_cannot_be_read_is_no_attempt(noise: bytes, before: bytes) -> None:
    assert isinstance(reached(before[: len(noise)] + noise), str)


@pytest.mark.parametrize("packet", [SYN, QUESTION, SYN_V6])
def test_what_is_cut_off_is_no_attempt(packet: str) -> None:
    whole = bytes.fromhex(packet)
    for length in range(20):
        assert reached(whole[:length]) == ""
