"""Rooms: the ways in and out, names, powers, spaces."""

import secrets

import nio

from person import done, people, refused, until


def alias():
    return f"room-{secrets.token_hex(4)}"


async def test_a_public_room_is_found_and_joined_by_its_alias():
    alice, bob = await people("alice", "bob")
    name = alias()
    room_id = done(
        await alice.client.room_create(visibility=nio.RoomVisibility.public, alias=name, name=name, topic="All welcome")
    ).room_id
    full = f"#{name}:{alice.domain}"
    assert done(await bob.client.room_resolve_alias(full)).room_id == room_id
    assert done(await bob.client.room_get_visibility(room_id)).visibility == "public"
    listed = done(await bob.client.list_public_rooms(limit=500)).public_rooms
    assert room_id in [room.room_id for room in listed]
    done(await bob.client.join(full))
    await until("Bob is in", lambda: bob.room(room_id) and bob.room(room_id).name == name)
    assert bob.room(room_id).topic == "All welcome"
    assert bob.room(room_id).canonical_alias == full

    other = f"#{alias()}:{alice.domain}"
    done(await alice.client.room_put_alias(other, room_id))
    assert done(await bob.client.room_resolve_alias(other)).room_id == room_id
    done(await alice.client.room_delete_alias(other))
    refused(await bob.client.room_resolve_alias(other), "M_NOT_FOUND")


async def test_who_is_invited_may_come_or_decline():
    alice, bob, carol = await people("alice", "bob", "carol")
    room_id = done(await alice.client.room_create(name="Just us")).room_id
    refused(await bob.client.join(room_id), "M_FORBIDDEN")
    for one in (bob, carol):
        done(await alice.client.room_invite(room_id, one.user_id))
        invited = await until("the invitation is there", lambda: one.client.invited_rooms.get(room_id))
        assert invited.inviter == alice.user_id
        assert invited.name == "Just us"
    done(await bob.client.join(room_id))
    done(await carol.client.room_leave(room_id))
    await until("Alice sees Bob", lambda: alice.room(room_id) and bob.user_id in alice.room(room_id).users)
    await until("Alice sees Carol decline", lambda: carol.user_id not in alice.room(room_id).invited_users)
    joined = done(await alice.client.joined_members(room_id)).members
    assert {member.user_id for member in joined} == {alice.user_id, bob.user_id}


async def test_kick_ban_unban_leave_and_forget():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob)
    done(await alice.client.room_kick(room_id, bob.user_id, "calm down"))
    await until("Bob is out", lambda: bob.user_id not in alice.room(room_id).users)
    refused(await bob.client.join(room_id), "M_FORBIDDEN")
    done(await alice.client.room_ban(room_id, bob.user_id))
    assert (await alice.client.room_invite(room_id, bob.user_id)).status_code in ("M_FORBIDDEN", "M_BAD_STATE")
    done(await alice.client.room_unban(room_id, bob.user_id))
    done(await alice.client.room_invite(room_id, bob.user_id))
    done(await bob.client.join(room_id))
    assert room_id in done(await bob.client.joined_rooms()).rooms
    done(await bob.client.room_leave(room_id))
    done(await bob.client.room_forget(room_id))
    assert room_id not in done(await bob.client.joined_rooms()).rooms
    refused(await bob.client.joined_members(room_id), "M_FORBIDDEN")


async def test_one_knocks_and_is_let_in():
    alice, bob = await people("alice", "bob")
    rule = {"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": "knock"}}
    room_id = done(await alice.client.room_create(initial_state=[rule])).room_id
    done(await bob.client.room_knock(room_id, reason="It is raining"))
    await until(
        "Alice hears Bob",
        lambda: any(
            isinstance(event, nio.RoomMemberEvent) and event.state_key == bob.user_id and event.membership == "knock"
            for event in alice.events.get(room_id, [])
        ),
    )
    done(await alice.client.room_invite(room_id, bob.user_id))
    done(await bob.client.join(room_id))
    await until("Bob is in", lambda: bob.room(room_id))


async def test_state_is_set_by_those_who_may():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob, name="Before")
    refused(await bob.client.room_put_state(room_id, "m.room.name", {"name": "Mine"}), "M_FORBIDDEN")
    done(await alice.client.room_put_state(room_id, "m.room.name", {"name": "After"}))
    done(await alice.client.update_room_topic(room_id, "News"))
    await until("Bob sees both", lambda: (bob.room(room_id).name, bob.room(room_id).topic) == ("After", "News"))
    assert done(await bob.client.room_get_state_event(room_id, "m.room.name")).content == {"name": "After"}
    state = done(await bob.client.room_get_state(room_id)).events
    assert {"m.room.create", "m.room.power_levels", "m.room.name"} <= {event["type"] for event in state}
    assert await bob.client.has_permission(room_id, "kick") is False


async def test_an_upgrade_as_nio_makes_it():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob, name="Old house", room_version="10")
    successor = done(await alice.client.room_upgrade(room_id, "11")).room_id
    await until("Bob sees where it went", lambda: bob.room(room_id).replacement_room == successor)
    await until("Alice is there", lambda: alice.room(successor) and alice.room(successor).name == "Old house")
    assert alice.room(successor).room_version == "11"


async def test_a_space_holds_rooms():
    alice, bob = await people("alice", "bob")
    space = await alice.make_room(bob, name="The office", space=True)
    room_id = await alice.make_room(bob, name="First floor")
    done(await alice.client.room_put_state(space, "m.space.child", {"via": [alice.domain]}, room_id))
    done(await alice.client.room_put_state(room_id, "m.space.parent", {"via": [alice.domain]}, space))
    await until("Bob sees the child", lambda: room_id in bob.room(space).children)
    await until("Bob sees the parent", lambda: space in bob.room(room_id).parents)
    assert bob.room(space).room_type == "m.space"
