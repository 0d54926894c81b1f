"""A bot made with matrix-nio answers a person who uses matrix-js-sdk, in one room."""

import asyncio
import json
import os
import pathlib
import secrets

import nio

from person import PATIENCE_S, done, people, until

JS = pathlib.Path(__file__).parent.parent / "js"


async def test_a_nio_bot_serves_a_js_user():
    (bot,) = await people("bot")
    name = f"helpdesk-{secrets.token_hex(4)}"
    room_id = done(await bot.client.room_create(alias=name, visibility=nio.RoomVisibility.public, name="Helpdesk")).room_id
    asked, thanks = {}, []

    async def listen(room, event):
        if event.sender == bot.user_id or not event.body.startswith("!shout "):
            return
        asked[event.event_id] = event.body.removeprefix("!shout ")
        done(await bot.client.update_receipt_marker(room.room_id, event.event_id))
        done(await bot.client.room_typing(room.room_id, True, timeout=120_000))

    async def answer(room, event):
        # Who types is soon forgotten: the person says when they have seen it.
        if event.key != "👀":
            thanks.append(event.key)
            return
        content = {
            "msgtype": "m.text",
            "body": asked[event.reacts_to].upper(),
            "m.relates_to": {"m.in_reply_to": {"event_id": event.reacts_to}},
        }
        done(await bot.client.room_send(room.room_id, "m.room.message", content))
        done(await bot.client.room_typing(room.room_id, False))

    bot.client.add_event_callback(listen, nio.RoomMessageText)
    bot.client.add_event_callback(answer, nio.ReactionEvent)

    script = await asyncio.create_subprocess_exec(
        "node", "--import", "./support/platform.mjs", "stories/ask-the-bot.mjs", f"#{name}:{bot.domain}", bot.user_id,
        cwd=JS, env=os.environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(script.communicate(), 4 * PATIENCE_S)
    assert script.returncode == 0, err.decode()
    person = json.loads(out)
    assert person["answers"] == ["HELLO", "GOOD BYE"]
    await until("the bot is thanked for both", lambda: thanks == ["👍", "👍"])
    await until("the bot sees the person leave", lambda: person["userId"] not in bot.room(room_id).users)
