"""Bodies: what the schema allows, with things that exist in it; the same with something wrong in it; no longer quite JSON."""

import json

from hypothesis import strategies as st

from values import NUMBERS, STRINGS, existing, made

RAW = [
    b"", b"{", b"[]", b"null", b"1", b'"text"', b"\xff\xfe{}", b'{"a":"\xff"}', b'{"a":"\xed\xa0\x80"}', b'{"\\ud800":"\\udfff"}',
    b'{"a":1,"a":2}', b'{"a":1.5}', b'{"a":1e400}', b'{"a":NaN}', b'{"a":-0}', b'{"a":9007199254740992}', b'{"a":' + b"9" * 400 + b"}",
    b"[" * 100_000, b'{"a":' * 50_000, b'{"a":' * 100 + b"1" + b"}" * 100, b'{"a":"' + b"x" * 70_000 + b'"}', b"\x00", b"{}garbage",
    b'{"' + b"k" * 70_000 + b'":1}', b'{"\\u0000":"\\u0000"}', b"\xef\xbb\xbf{}", b" " * 10_000 + b"{}",
]
LEAVES = st.one_of(
    st.sampled_from(STRINGS),
    st.sampled_from(NUMBERS),
    st.sampled_from([0, -1, 1.5, 2**53, 2**63, 2**64, 10**400, None, True, [], {}, "", [[]]]),
)
WRONG = st.one_of(LEAVES, st.lists(LEAVES, max_size=3), st.dictionaries(st.sampled_from(STRINGS), LEAVES, max_size=2))


def body(world, room, honest, allowed):
    """Written bodies. `allowed`: a value that the schema allows, or none if there is no schema."""
    if allowed is None:
        return st.sampled_from(RAW)
    allowed = known(allowed, world, room)
    if honest:
        return st.just(encoded(allowed))
    places = st.lists(st.tuples(st.integers(0, 30), WRONG), min_size=1, max_size=3)
    return st.one_of(places.map(lambda changes: encoded(changed(allowed, changes))), st.sampled_from(RAW))


def known(value, world, room):
    """A value with what exists put where its name is that of something that exists."""
    if isinstance(value, list):
        return [known(item, world, room) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: existing(world, key, room) if isinstance(item, str) else [] for key, item in value.items()}
    return {key: made(found[key][0]) if found[key] else known(item, world, room) for key, item in value.items()}


def changed(value, changes):
    for place, replacement in changes:
        value, _ = exchanged(value, place, replacement)
    return value


def exchanged(value, place, replacement):
    """The value with what stands at a place exchanged, counting from the outside; and how far the count still has to go."""
    if place == 0:
        return replacement, -1
    place -= 1
    if isinstance(value, (list, dict)):
        value = value.copy()
        for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
            value[key], place = exchanged(item, place, replacement)
            if place < 0:
                break
    return value, place


def encoded(value):
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
