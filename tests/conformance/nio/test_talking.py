"""Two people talk: messages, what relates to them, files."""

import io
import os
import struct
import zlib

import nio
from nio.api import RelationshipType

from person import done, people, refused, until


async def test_two_people_talk_in_order():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob)
    said = []
    for n in range(5):
        for one, other in ((alice, bob), (bob, alice)):
            said.append(f"{one.username} {n}")
            await other.reads(room_id, await one.say(room_id, said[-1]))
    await alice.reads(room_id, (await bob.reads(room_id, await bob.say(room_id, "bye"))).event_id)
    assert alice.texts(room_id) == bob.texts(room_id) == [*said, "bye"]


async def test_one_sees_the_other_type_and_read():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob)
    done(await alice.client.room_typing(room_id, True, timeout=30_000))
    await until("Bob sees Alice type", lambda: alice.user_id in bob.room(room_id).typing_users)
    done(await alice.client.room_typing(room_id, False))
    await until("Bob sees Alice stop", lambda: not bob.room(room_id).typing_users)

    event_id = await alice.say(room_id, "read this")
    await bob.reads(room_id, event_id)
    done(await bob.client.room_read_markers(room_id, event_id, event_id))
    await until("Alice sees it read", lambda: (seen := alice.room(room_id).read_receipts.get(bob.user_id)) and seen.event_id == event_id)
    await until("Bob's marker follows", lambda: bob.room(room_id).fully_read_marker == event_id)
    another = await alice.say(room_id, "and this")
    done(await bob.client.update_receipt_marker(room_id, another, thread_id="main"))
    in_main = lambda: alice.room(room_id).threaded_read_receipts.get(bob.user_id, {}).get("main")
    await until("Alice sees it read in the main thread", lambda: in_main() and in_main().event_id == another)


async def test_reactions_edits_and_redactions_arrive():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob)
    event_id = await alice.say(room_id, "helo")
    reaction = {"m.relates_to": {"rel_type": "m.annotation", "event_id": event_id, "key": "👍"}}
    reaction_id = done(await bob.client.room_send(room_id, "m.reaction", reaction)).event_id
    seen = await alice.reads(room_id, reaction_id)
    assert isinstance(seen, nio.ReactionEvent) and seen.key == "👍" and seen.reacts_to == event_id

    new = {"msgtype": "m.text", "body": "hello"}
    await alice.say(room_id, "* hello", **{"m.new_content": new, "m.relates_to": {"rel_type": "m.replace", "event_id": event_id}})
    edits = [event async for event in bob.client.room_get_event_relations(room_id, event_id, RelationshipType.replacement)]
    assert [event.source["content"]["m.new_content"]["body"] for event in edits] == ["hello"]

    redaction = done(await alice.client.room_redact(room_id, event_id, reason="oops")).event_id
    seen = await bob.reads(room_id, redaction)
    assert isinstance(seen, nio.RedactionEvent) and seen.redacts == event_id and seen.reason == "oops"
    served = done(await bob.client.room_get_event(room_id, event_id)).event
    assert isinstance(served, nio.RedactedEvent) and served.source["content"] == {}


async def test_a_thread_is_listed_with_its_answers():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob)
    root = await alice.say(room_id, "about the roof")
    answers = [
        await bob.say(room_id, f"answer {n}", **{"m.relates_to": {"rel_type": "m.thread", "event_id": root}}) for n in range(3)
    ]
    relations = bob.client.room_get_event_relations(
        room_id, root, RelationshipType.thread, direction=nio.MessageDirection.front, limit=2
    )
    assert [event.event_id async for event in relations] == answers
    assert [event.event_id async for event in bob.client.room_get_threads(room_id)] == [root]


async def test_the_same_transaction_is_one_message():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob)
    content = {"msgtype": "m.text", "body": "once"}
    first = done(await alice.client.room_send(room_id, "m.room.message", content, tx_id="one"))
    again = done(await alice.client.room_send(room_id, "m.room.message", content, tx_id="one"))
    assert first.event_id == again.event_id
    await bob.reads(room_id, await alice.say(room_id, "after"))
    assert bob.texts(room_id) == ["once", "after"]


async def test_a_file_arrives_byte_for_byte():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob)
    content = os.urandom(200_000)
    uploaded, keys = await alice.client.upload(
        io.BytesIO(content), content_type="application/zip", filename="backup.zip", filesize=len(content)
    )
    assert keys is None
    mxc = done(uploaded).content_uri
    event_id = done(
        await alice.client.room_send(room_id, "m.room.message", {"msgtype": "m.file", "body": "backup.zip", "url": mxc})
    ).event_id
    shared = await bob.reads(room_id, event_id)
    assert isinstance(shared, nio.RoomMessageFile)
    downloaded = done(await bob.client.download(shared.url))
    assert downloaded.body == content
    assert downloaded.content_type == "application/zip"
    assert downloaded.filename == "backup.zip"
    refused(await bob.client.download(f"mxc://{bob.domain}/nothing"), "M_NOT_FOUND")
    assert done(await bob.client.content_repository_config()).upload_size > 0


async def test_a_picture_has_a_thumbnail():
    (alice,) = await people("alice")
    picture = png(400, 300)
    uploaded, _ = await alice.client.upload(io.BytesIO(picture), content_type="image/png", filesize=len(picture))
    server, media_id = done(uploaded).content_uri.removeprefix("mxc://").split("/")
    thumbnail = done(await alice.client.thumbnail(server, media_id, 96, 96, method=nio.ResizingMethod.crop))
    assert thumbnail.content_type.startswith("image/")
    assert 0 < len(thumbnail.body) < len(picture) * 2


async def test_scrolling_back_gives_every_event_once():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob, name="Long talk")
    said = [f"message {n}" for n in range(70)]
    for body in said:
        await alice.say(room_id, body)
    events = await bob.whole_room(room_id, page=9)
    assert [event.body for event in events if isinstance(event, nio.RoomMessageText)] == said
    assert isinstance(events[0], nio.RoomCreateEvent)
    assert len({event.event_id for event in events}) == len(events)

    middle = next(event.event_id for event in events if getattr(event, "body", "") == "message 35")
    context = done(await bob.client.room_context(room_id, middle, limit=4))
    assert [event.body for event in context.events_before] == ["message 34", "message 33"]
    assert [event.body for event in context.events_after] == ["message 36", "message 37"]
    forward = done(await bob.client.room_messages(room_id, context.end, direction=nio.MessageDirection.front, limit=3))
    assert [event.body for event in forward.chunk] == ["message 38", "message 39", "message 40"]


def png(width, height):
    """A picture of noise, so that it does not compress to nothing."""
    rows = b"".join(b"\0" + os.urandom(width * 3) for _ in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")
