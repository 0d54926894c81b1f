"""What stands in a parameter: half of the time something that exists, else whatever a hostile or clumsy client writes."""

from hypothesis import strategies as st

NUMBERS = ["0", "1", "-1", "2", "10", "1.5", "1e3", "0x10", "NaN", "9007199254740991", "9007199254740992", "2147483648",
           "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
           "-9223372036854775808", "9" * 400, "+5", " 5", "٣"]

# Path traversal, separators of keys, controls, text that is longer in another form, halves of identifiers.
STRINGS = [
    "..", ".", "../../etc/passwd", "..%2f..%2fetc", "/", "//", "a/b", "%00", "\x00", "a\x00b", "\x01", "\x1f", "\x7f", "\xff", "\u0100",
    "\u202e", "\ufeff", "\ufffd", "\ufffe", "\U0001f600", "\U0010ffff", "e\u0301" * 20, "ß", "İ", "*", "*a" * 40, "?", "[a-z]", "{}",
    "[]", "null", "true", '"', "'", "\\", "<script>alert(1)</script>", "' OR 1=1 --", "%", "%s%n", "$(id)", "`id`", "\n", "\r\nX-Bad: 1", " ",
    "  ", "\t", ";", "#", "&", "=", "a" * 254, "a" * 255, "a" * 256, "a" * 1000, "é" * 200, "m.room.create", "m.room.member",
    "m.room.power_levels", "m.room.encrypted", "m.push_rules", "m.fully_read", "m.direct", ".m.rule.master", "global", "override",
    "underride", "device", "m.read", "m.read.private", "displayname", "avatar_url", "m.tz", "unban", "all", "join", "b", "f", "s0", "s",
    "s1_2_3", "t1", "0", "-1", "1", "99999999999999999999",
]
USERS = ["@", "@:", "@a", "@a:", "@:a", "a:b", "@a:b:c", "@" + "a" * 300 + ":test.example", "@" + "a" * 241 + ":test.example",
         "@A:test.example", "@ü:test.example", "@a b:test.example", "@a\x00b:test.example", "@nobody:test.example", "@a:[::1]",
         "@a:[::1]:99999", "@a:1.2.3.4:8448", "@../..:test.example", "@nobody:elsewhere.example"]
ROOMS = ["!", "!a", "!:", "!a:", "!" + "a" * 300, "!" + "a" * 43, "!a\x00:test.example", "!../..:test.example", "!a:elsewhere.example",
         "!" + "A" * 43, "!room:test.example", "!é:test.example"]
EVENTS = ["$", "$a", "$:", "$a:test.example", "$" + "a" * 43, "$" + "A" * 43, "$" + "a" * 300, "$\x00", "$../..", "$é" + "a" * 41]
ALIASES = ["#", "#a", "#:", "#a:", "#:test.example", "#a:test.example", "#" + "a" * 300 + ":test.example", "#a\x00b:test.example",
           "#a b:test.example", "#é:test.example", "##:test.example", "#a:elsewhere.example"]


def existing(world, name, room):
    """What exists under the name of a parameter or property, as seen from a room; nothing for names that say nothing. See made."""
    mallory, alice, events = world.mallory, world.alice, world.events.get(room, [])
    here = world.rooms[room]
    kinds = ["org.example.kept", "m.room.message", "m.room.name", "m.room.topic", "m.room.member"]
    return {
        "userId": [mallory.user_id, mallory.user_id, mallory.user_id, alice.user_id], "user_id": [alice.user_id, mallory.user_id],
        "roomId": [here], "room_id": [here], "roomIdOrAlias": [here, world.alias],
        "eventId": events, "event_id": events, "m.read": events, "m.read.private": events, "m.fully_read": events,
        "roomAlias": [world.alias, world.new_alias], "alias": [world.alias],
        "deviceId": [mallory.device_id], "device_id": [mallory.device_id],
        "eventType": kinds, "type": kinds, "stateKey": ["key", "", mallory.user_id],
        "filterId": [world.filter_id],
        "filter": [world.filter_id, '{"room":{"timeline":{"limit":2}}}', '{"lazy_load_members":true}', '{"types":["m.*"]}'],
        "since": world.tokens, "from": world.tokens, "to": world.tokens, "at": world.tokens, "next_batch": world.tokens,
        "serverName": [world.server_name], "mediaId": [world.media_id, world.promised],
        "tag": ["u.kept"], "kind": ["content", "override", "underride"], "ruleId": ["kept", ".m.rule.master"],
        "receiptType": ["m.read", "m.read.private", "m.fully_read"], "relType": ["m.thread", "m.annotation"],
        "keyName": ["displayname", "avatar_url", "m.tz", "org.example.kept"], "refresh_token": [world.refresh_token],
        "username": [world.new_name], "dir": ["b", "f"], "set_presence": ["online", "offline", "unavailable"],
        "limit": ["1", "3", "100"], "width": ["32", "96"], "height": ["32", "96"], "method": ["crop", "scale"],
        "server": [world.server_name], "via": [world.server_name],
    }.get(name, [])


def made(value):
    """Some things are made when they are asked for."""
    return value() if callable(value) else value


NEARLY = {
    "userId": USERS, "user_id": USERS, "roomId": ROOMS, "room_id": ROOMS, "roomIdOrAlias": ROOMS + ALIASES, "eventId": EVENTS,
    "event_id": EVENTS, "roomAlias": ALIASES, "alias": ALIASES, "stateKey": STRINGS + USERS, "filterId": STRINGS + NUMBERS,
    "since": STRINGS + NUMBERS, "from": STRINGS + NUMBERS, "to": STRINGS + NUMBERS, "at": STRINGS + NUMBERS, "limit": NUMBERS,
    "serverName": ["elsewhere.example", "localhost", "127.0.0.1", "[::1]", *STRINGS],
    "filter": ["{", "{}", "[]", '{"limit":-1}', '{"room":{"timeline":{"limit":1e400}}}', '{"types":["' + "*" * 500 + '"]}',
               '{"room":' * 200 + "1" + "}" * 200, "[" * 20_000, *STRINGS],
}


def argument(world, name, schema, room, honest):
    """A strategy for an argument of the path or the query, or none where what its schema allows will do."""
    if name in ("timeout", "timeout_ms"):
        # Longer ones would be waited for, and rightly.
        return st.sampled_from(["0", "1"] if honest else ["100", "-1", str(-2**63), "1.5", "soon", "", "9" * 30])
    if honest:
        found = existing(world, name, room)
        return st.sampled_from(found).map(made) if found else None
    if schema.get("type") in ("integer", "number"):
        return st.sampled_from(NUMBERS)
    return st.one_of(st.sampled_from(NEARLY.get(name, STRINGS)), st.text(max_size=40))
