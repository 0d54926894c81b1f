"""What a bridge does for a conversation elsewhere: its portal, and what is said on both sides."""

import pytest
from mautrix.errors import MForbidden
from mautrix.types import (
    EventType,
    ImageInfo,
    Membership,
    MessageType,
    PaginationDirection,
    PowerLevelStateEventContent,
    RelationType,
    RoomCreatePreset,
    RoomNameStateEventContent,
    TextMessageEventContent,
)

BRIDGE = {"type": "m.bridge", "state_key": "elsewhere", "content": {"protocol": {"id": "elsewhere"}}}


@pytest.mark.parametrize("version", [None, "10"])
async def test_a_portal_is_made_with_the_bot_above_all(register, version):
    bot, ghost, person = await register("bot"), await register("ghost"), await register("person")
    # Every bridge gives its bot more than anybody could get, also where creators need no level.
    levels = PowerLevelStateEventContent(users={bot.mxid: 9001}, users_default=0, invite=50)
    levels.events[EventType.ROOM_NAME] = 0
    more = {} if version is None else {"room_version": version}
    room = await bot.create_room(
        name="Tea elsewhere",
        topic="Of elsewhere",
        preset=RoomCreatePreset.PRIVATE,
        invitees=[ghost.mxid],
        initial_state=[BRIDGE],
        power_level_override=levels,
        **more,
    )
    await ghost.join_room(room)
    name = RoomNameStateEventContent(name="Renamed elsewhere")
    await ghost.send_state_event(room, EventType.ROOM_NAME, name)
    with pytest.raises(MForbidden):
        await ghost.invite_user(room, person.mxid)
    await bot.invite_user(room, person.mxid)
    await person.join_room(room)
    assert set(await bot.get_joined_members(room)) == {bot.mxid, ghost.mxid, person.mxid}
    names = [e.content.name for e in await person.get_state(room) if e.type == EventType.ROOM_NAME]
    assert names == ["Renamed elsewhere"]
    alias = f"elsewhere-{room[1:8].lower()}"
    await bot.add_room_alias(room, alias)
    domain = bot.mxid.split(":", 1)[1]
    assert (await person.resolve_room_alias(f"#{alias}:{domain}")).room_id == room


async def test_what_is_said_crosses_the_bridge(register):
    ghost, person = await register("ghost"), await register("person")
    room = await ghost.create_room(invitees=[person.mxid], is_direct=True)
    await person.hears_what(lambda e: e.type == EventType.ROOM_MEMBER and e.content.membership == Membership.INVITE)
    await person.join_room(room)

    said = await ghost.send_text(room, html="<b>Hello</b>")
    heard = await person.hears(said)
    assert (heard.content.body, heard.content.formatted_body) == ("**Hello**", "<b>Hello</b>")
    await person.send_receipt(room, said)
    reaction = await person.react(room, said, "👍")
    assert (await ghost.hears(reaction)).content.relates_to.key == "👍"

    edit = TextMessageEventContent(msgtype=MessageType.TEXT, body="Good morning")
    edit.set_edit(said)
    edited = await ghost.send_message(room, edit)
    assert (await person.hears(edited)).content.relates_to.rel_type == RelationType.REPLACE
    await ghost.redact(room, said, reason="said elsewhere by mistake")
    await person.hears_what(lambda e: e.type == EventType.ROOM_REDACTION and e.redacts == said)
    assert not (await person.get_event(room, said)).content.body

    picture = await ghost.upload_media(b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", mime_type="image/gif", filename="dot.gif")
    sent = await ghost.send_image(room, picture, info=ImageInfo(mimetype="image/gif"), file_name="dot.gif")
    shown = await person.hears(sent)
    assert (await person.download_media(shown.content.url)).startswith(b"GIF89a")

    page = await person.get_messages(room, PaginationDirection.BACKWARD, limit=100)
    assert {said, reaction, edited, sent} <= {e.event_id for e in page.events}


async def test_who_starts_again_hears_what_was_said_meanwhile(register):
    ghost, person = await register("ghost"), await register("person")
    room = await ghost.create_room(invitees=[person.mxid])
    await person.join_room(room)
    first = await ghost.send_text(room, "before")
    await person.hears(first)
    person.stop()
    missed = [await ghost.send_text(room, f"meanwhile {n}") for n in range(30)]
    person.start(None)
    for event_id in missed[-5:]:
        await person.hears(event_id)
