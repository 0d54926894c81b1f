"""End-to-end encryption, with vodozemac: what one writes the other reads, and the server does not."""

import nio

from person import done, encrypting_people, until


async def test_two_people_exchange_messages_that_only_they_can_read(tmp_path):
    alice, bob = await encrypting_people(tmp_path, "alice", "bob")
    room_id = await alice.make_encrypted_room(bob)
    first = await alice.say(room_id, "only for you")
    assert (await bob.reads(room_id, first)).body == "only for you"
    second = await bob.say(room_id, "only for you, too")
    assert (await alice.reads(room_id, second)).body == "only for you, too"
    assert done(await alice.client.room_get_event(room_id, first)).event.decrypted
    stranger = await alice.on_another_device()
    kept = next(event for event in done(await stranger.client.room_messages(room_id, "")).chunk if event.event_id == first)
    assert isinstance(kept, nio.MegolmEvent), "who has no keys sees that there is something, and no more"


async def test_everybody_reads_on_every_device(tmp_path):
    alice, bob, carol = await encrypting_people(tmp_path, "alice", "bob", "carol")
    room_id = await alice.make_encrypted_room(bob, carol)
    phone = await bob.on_another_device()
    for one in (alice, bob, carol):
        knows = lambda one=one: phone.client.device_id in one.client.device_store[bob.user_id]
        await until(f"{one.username} knows of the phone", knows)
    for n in range(3):
        for one in (alice, bob, carol):
            event_id = await one.say(room_id, f"{n} of {one.username}")
            for other in {alice, bob, phone, carol} - {one}:
                assert (await other.reads(room_id, event_id)).body == f"{n} of {one.username}"


async def test_keys_for_messages_come_from_claimed_one_time_keys(tmp_path):
    alice, bob = await encrypting_people(tmp_path, "alice", "bob")
    room_id = await alice.make_encrypted_room(bob)
    before = bob.client.olm.uploaded_key_count
    await bob.reads(room_id, await alice.say(room_id, "hello"))
    await until("Bob has a key less, or has made new ones", lambda: bob.client.olm.uploaded_key_count in {before, before - 1})


async def test_a_new_session_starts_when_somebody_leaves(tmp_path):
    alice, bob, carol = await encrypting_people(tmp_path, "alice", "bob", "carol")
    room_id = await alice.make_encrypted_room(bob, carol)
    await carol.reads(room_id, await alice.say(room_id, "with Carol"))
    done(await carol.client.room_leave(room_id))
    await until("Alice sees Carol gone", lambda: carol.user_id not in alice.room(room_id).users)
    event_id = await alice.say(room_id, "without Carol")
    assert (await bob.reads(room_id, event_id)).body == "without Carol"
