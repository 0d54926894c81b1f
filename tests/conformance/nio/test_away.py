"""Going away, coming back, and a server that dies in between."""

import asyncio

import nio

import homeserver
from person import PATIENCE_S, done, people, until


def messages(events):
    return [event.body for event in events if isinstance(event, nio.RoomMessageText)]


async def test_a_bot_goes_on_from_its_token():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob)
    await bob.reads(room_id, await alice.say(room_id, "before"))
    await bob.stop()
    for n in range(3):
        await alice.say(room_id, f"away {n}")
    back = await bob.reopened()
    await back.reads(room_id, await alice.say(room_id, "after"))
    assert back.texts(room_id) == ["before", "away 0", "away 1", "away 2", "after"]


async def test_a_long_absence_is_a_limited_sync_whose_gap_can_be_read():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob)
    await bob.reads(room_id, await alice.say(room_id, "before"))
    await bob.stop()
    said = [f"away {n}" for n in range(50)]
    for body in said:
        await alice.say(room_id, body)
    back = await bob.reopened(start=False)
    synced = done(
        await back.client.sync(timeout=0, since=bob.client.next_batch, sync_filter={"room": {"timeline": {"limit": 10}}})
    )
    timeline = synced.rooms.join[room_id].timeline
    assert timeline.limited
    assert messages(timeline.events) == said[-10:]
    earlier = []
    start = timeline.prev_batch
    while "before" not in messages(earlier):
        page = done(await back.client.room_messages(room_id, start, limit=13))
        assert page.chunk, "the gap ends before the known message"
        earlier += page.chunk
        start = page.end
    assert messages(reversed(earlier))[-41:] == ["before", *said[:-10]]


async def test_an_incremental_sync_of_nothing_is_empty():
    (alice,) = await people("alice")
    await alice.make_room()
    quiet = await alice.on_another_device(start=False)
    first = done(await quiet.client.sync(timeout=0))
    second = done(await quiet.client.sync(timeout=0, since=first.next_batch))
    assert second.rooms.join == {}
    third = done(await quiet.client.sync(timeout=300, since=second.next_batch))
    assert third.rooms.join == {}


async def test_a_waiting_sync_answers_as_soon_as_something_happens():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob)
    quiet = await bob.on_another_device(start=False)
    # Who is there and who types would wake it too.
    wanted = {"presence": {"types": []}, "room": {"ephemeral": {"types": []}}}
    since = done(await quiet.client.sync(timeout=0, sync_filter=wanted)).next_batch
    waiting = asyncio.create_task(quiet.client.sync(timeout=300_000, since=since, sync_filter=wanted))
    for _ in range(10):
        done(await alice.client.whoami())
        assert not waiting.done()
    await alice.say(room_id, "wake up")
    synced = done(await asyncio.wait_for(waiting, PATIENCE_S))
    assert messages(synced.rooms.join[room_id].timeline.events) == ["wake up"]


async def test_full_state_is_given_when_asked_for():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob, name="All of it")
    quiet = await bob.on_another_device(start=False)
    since = done(await quiet.client.sync(timeout=0)).next_batch
    synced = done(await quiet.client.sync(timeout=0, since=since, full_state=True))
    kinds = {event.source["type"] for event in synced.rooms.join[room_id].state}
    assert {"m.room.create", "m.room.name", "m.room.power_levels", "m.room.member"} <= kinds


async def test_nothing_is_lost_when_the_server_is_killed():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob, name="Through a crash")
    await bob.reads(room_id, await alice.say(room_id, "before"))
    resting = await bob.on_another_device()
    await resting.reads(room_id, await alice.say(room_id, "still before"))
    await resting.stop()

    async def lights_out():
        await homeserver.kill()
        await homeserver.start()

    # nio asks again with the same transaction ID when a connection breaks.
    dead = None
    said = [f"message {n}" for n in range(40)]
    for n, body in enumerate(said):
        if n == 20:
            dead = asyncio.create_task(lights_out())
        await alice.say(room_id, body)
    await dead
    everything = ["before", "still before", *said]
    await until("Bob, who kept syncing, has all", lambda: bob.texts(room_id)[-1] == said[-1])
    assert messages(await bob.whole_room(room_id)) == everything
    back = await resting.reopened()
    await until("the resting device has all", lambda: back.texts(room_id)[-1] == said[-1])
    fresh = await bob.on_another_device()
    assert fresh.room(room_id).name == "Through a crash"
    assert fresh.texts(room_id) == everything[-len(fresh.texts(room_id)) :]
