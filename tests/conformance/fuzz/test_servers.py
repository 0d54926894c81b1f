"""What counts as naming another server."""

import pytest

from servers import names_another


@pytest.mark.parametrize(
    "path, query, body",
    [
        ({"userId": "@a:elsewhere.example"}, {}, None),
        ({"roomIdOrAlias": "#a:elsewhere.example"}, {}, None),
        ({"roomId": "!a"}, {"via": ["test.example", "elsewhere.example"]}, None),
        ({"serverName": "elsewhere.example", "mediaId": "x"}, {}, None),
        ({}, {}, b'{"device_keys":{"@a:elsewhere.example":[]}}'),
        ({}, {}, b'{"url":"mxc://elsewhere.example/x"}'),
    ],
)
def test_named(path, query, body):
    assert names_another("test.example", path, query, body)


@pytest.mark.parametrize(
    "path, query, body",
    [
        ({"userId": "@a:test.example"}, {"server": "test.example"}, b'{"invite":["@b:test.example"]}'),
        ({"roomId": "!a", "eventId": "$a"}, {"since": "s1:2"}, b"{"),
        ({"mediaId": "a"}, {}, b"[" * 100_000),
    ],
)
def test_not_named(path, query, body):
    assert not names_another("test.example", path, query, body)
