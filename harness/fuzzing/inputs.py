"""The inputs that are always tried, one of each kind, and the campaigns that draw others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ..contract.attribute_keys import own_keys, used_keys
from ..env_lists.pairs import LONGEST, PROTOTYPE_KEYS, Quirk
from ..otlp.model import Protocol
from ..themes.free_form.scenarios import PROMPT, Input
from . import strategies as drawn
from .campaign import Campaign

#: What is allowed: examples of the documents, every character, many pairs and long ones.
_SOUND = (
    "department=engineering,team.id=platform,cost_center=eng-123,org.name=John%27s%20Organization",
    "!#$&'*+-.^_`|~aZ09=!#$&'()*+-./:<>?@[]^_`{|}~,empty=,n=1,b=true,A=1,a=2,"
    "encoded=%C3%A9%F0%9F%A6%80%2C%3D%3B%22%5C%0A%2520,plus=%2B+,padded=%20x%20",
    f"{'k' * LONGEST}={'v' * LONGEST}," + ",".join(f"k{n}=v{n}" for n in range(63)),
)
#: Each kind of odd input by itself, with a pair beside it that is none.
_ODD = (
    "a=b=c,ok=1",
    " a = b ,ok=1",
    'a="b",ok=1',
    f"a={'x' * (LONGEST + 1)},ok=1",
    "a=1,a=2,ok=1",
    "a%20b=c,ok=1",
    ",".join(f"{key}=a" for key in PROTOTYPE_KEYS) + ",ok=1",
    "before=1,user.organizationName=My Company,ok=1",
    "before=1,a=b\\c,ok=1",
    "before=1,a=b;c,ok=1",
    "before=1,a=b\x01c,ok=1",
    "before=1,a=é,ok=1",
    "before=1,a=%,ok=1",
    "before=1,a=%FF,ok=1",
    "before=1,a(b=c,ok=1",
    "before=1,a,ok=1",
    "before=1,=a,ok=1",
    "session.id=evil,terminal.type=evil,user.id=evil,event.name=evil,model=evil,type=evil,ok=1",
)
#: With these telemetry is not whole.
_DISTURBING = (
    "service.name=evil,ok=1",
    "service.version=evil,os.type=evil,os.version=evil,host.arch=evil,ok=1",
    ",".join(f"k{n}=v{n}" for n in range(150)),
)
#: Each is sent over gRPC, and over HTTP.
_HEADERS = (
    "X-Team=platform,x-two=2",
    "x-encoded=a%20b%2Cc%3Dd",
    "x-equals=a=b==",
    " x-spaced = around ,x-ok=1",
    "x-empty=,x-ok=1",
)
#: These may stop all exports: sessions of their own.
_ODD_HEADERS = ("x a=b,x-ok=1", "x-a=%C3%A9,x-ok=1")
_PROMPTS = (
    drawn.prompt_with_canary("\U0001f980 e\u0301 \u202ert\u200b \x01\x1b[31m"),
    drawn.prompt_with_canary("\r\n\t<b>&amp;</b> $HOME `ls` \u2028\ufeff "),
    drawn.prompt_with_canary("x" * 5000),
)


def first(only: Sequence[Protocol] = tuple(Protocol)) -> Sequence[Input]:
    """Return inputs of every kind, so that each requirement is exercised.

    Those over a protocol that is not among ``only`` are given to one that is.
    """
    allowed = cycle(only)
    given = (
        item if item.protocol in only else replace(item, protocol=next(allowed))
        for item in _first()
    )
    return list(dict.fromkeys(given))


def _first() -> Sequence[Input]:
    """Return inputs of every kind, over every protocol.

    Those that may take long come first. A session takes long: one may try attributes, headers
    and a prompt at once.
    """
    protocols, http = cycle(Protocol), cycle((Protocol.HTTP_JSON, Protocol.HTTP_PROTOBUF))
    alone = [(over, text) for text in _ODD_HEADERS for over in (Protocol.GRPC, next(http))]
    over_grpc, over_http, prompts = iter(_HEADERS), iter(_HEADERS), iter(_PROMPTS)
    return [
        *(Input(over, headers=text, whole=False) for over, text in alone),
        *(
            Input(
                over := next(protocols),
                attributes,
                next(over_grpc if over is Protocol.GRPC else over_http, ""),
                next(prompts, PROMPT),
            )
            for attributes in (*_SOUND, *_ODD)
        ),
        *(Input(next(protocols), attributes) for attributes in _DISTURBING),
        Input(next(protocols), "a=b", labels=False),
    ]


def campaigns(protocols: Sequence[Protocol] = tuple(Protocol)) -> Sequence[Campaign[Input]]:
    """Return campaigns without a number of examples, over these protocols.

    Some draw headers and a prompt besides their attributes: shrinking removes those parts if
    they do not matter.
    """
    own = own_keys()
    pairs = drawn.well_formed(own)
    near_misses = st.sampled_from(Quirk).flatmap(lambda quirk: drawn.near_miss(quirk, own))
    odd_headers = st.sampled_from(Quirk).flatmap(drawn.near_miss_header)
    usual = {"headers": st.just("") | drawn.headers(), "prompt": st.just(PROMPT) | drawn.prompts()}
    return (
        _campaign(
            "well_formed",
            protocols,
            attributes=pairs,
            labels=st.just(True) | st.booleans(),
            **usual,
        ),
        _campaign("near_miss", protocols, attributes=near_misses, **usual),
        _campaign("collision", protocols, attributes=drawn.colliding(used_keys(), own), **usual),
        _campaign(
            "header", protocols, headers=odd_headers | drawn.anything(), whole=st.just(False)
        ),
        _campaign("anything", protocols, attributes=drawn.anything(), prompt=usual["prompt"]),
    )


def _campaign(
    name: str, protocols: Sequence[Protocol], **parts: SearchStrategy[Any]
) -> Campaign[Input]:
    return Campaign(name, st.builds(Input, st.sampled_from(protocols), **parts), examples=None)
