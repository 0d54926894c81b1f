"""A bot made with matrix-nio answers a person who uses matrix-js-sdk, in one room."""

import asyncio
import json
import os
import pathlib
import secrets

import nio

from person import done, people, until

JS = pathlib.Path(__file__).parent.parent / "js"


async def test_a_nio_bot_serves_a_js_user():
    (bot,) = await people("bot")
    name = f"helpdesk-{secrets.token_hex(4)}"
    room_id = done(await bot.client.room_create(alias=name, visibility=nio.RoomVisibility.public, name="Helpdesk")).room_id
    reactions = []

    async def answer(room, event):
        if event.sender == bot.user_id or not event.body.startswith("!shout "):
            return
        done(await bot.client.room_typing(room.room_id, True))
        done(await bot.client.update_receipt_marker(room.room_id, event.event_id))
        content = {
            "msgtype": "m.text",
            "body": event.body.removeprefix("!shout ").upper(),
            "m.relates_to": {"m.in_reply_to": {"event_id": event.event_id}},
        }
        done(await bot.client.room_send(room.room_id, "m.room.message", content))
        done(await bot.client.room_typing(room.room_id, False))

    bot.client.add_event_callback(answer, nio.RoomMessageText)
    bot.client.add_event_callback(lambda _, event: reactions.append(event.key), nio.ReactionEvent)

    script = await asyncio.create_subprocess_exec(
        "node", "--import", "./support/platform.mjs", "stories/ask-the-bot.mjs", f"#{name}:{bot.domain}", bot.user_id,
        cwd=JS, env=os.environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(script.communicate(), 40)
    assert script.returncode == 0, err.decode()
    person = json.loads(out)
    assert person["answers"] == ["HELLO", "GOOD BYE"]
    assert person["sawTyping"] and person["sawReadMark"]
    await until("the bot sees both reactions", lambda: reactions == ["👍", "👍"])
    await until("the bot sees the person leave", lambda: person["userId"] not in bot.room(room_id).users)
