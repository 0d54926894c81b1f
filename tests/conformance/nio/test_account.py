"""Accounts, devices and what one keeps for oneself."""

import nio

from person import Person, done, people, refused, until


async def test_login_logout_and_a_wrong_password():
    alice = await Person.register("alice", start=False)
    phone = await alice.on_another_device(start=False)
    assert done(await phone.client.whoami()).user_id == alice.user_id
    assert "m.login.password" in done(await alice.client.login_info()).flows
    stranger = nio.AsyncClient(alice.client.homeserver, alice.username)
    refused(await stranger.login("guessed"), "M_FORBIDDEN")
    await stranger.close()
    spent = phone.client.access_token
    done(await phone.client.logout())
    phone.client.restore_login(alice.user_id, phone.client.device_id or "gone", spent)
    refused(await phone.client.whoami(), "M_UNKNOWN_TOKEN")
    await alice.stop()


async def test_devices_are_listed_renamed_and_deleted_with_the_password():
    (alice,) = await people("alice")
    phone = await alice.on_another_device(start=False)
    done(await alice.client.update_device(phone.client.device_id, {"display_name": "Phone"}))
    listed = {device.id: device.display_name for device in done(await alice.client.devices()).devices}
    assert set(listed) == {alice.client.device_id, phone.client.device_id}
    assert listed[phone.client.device_id] == "Phone"
    challenge = await alice.client.delete_devices([phone.client.device_id])
    assert isinstance(challenge, nio.DeleteDevicesAuthResponse)
    auth = {
        "type": "m.login.password",
        "session": challenge.session,
        "identifier": {"type": "m.id.user", "user": alice.user_id},
        "password": alice.password,
    }
    done(await alice.client.delete_devices([phone.client.device_id], auth))
    assert [device.id for device in done(await alice.client.devices()).devices] == [alice.client.device_id]
    refused(await phone.client.whoami(), "M_UNKNOWN_TOKEN")


async def test_names_and_pictures_show_in_rooms():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob)
    done(await alice.client.set_displayname("Alice 🐇"))
    done(await alice.client.set_avatar("mxc://localhost/rabbit"))
    user = lambda: bob.room(room_id).users[alice.user_id]
    await until("Bob sees both", lambda: (user().display_name, user().avatar_url) == ("Alice 🐇", "mxc://localhost/rabbit"))
    profile = done(await bob.client.get_profile(alice.user_id))
    assert (profile.displayname, profile.avatar_url) == ("Alice 🐇", "mxc://localhost/rabbit")
    assert done(await bob.client.get_displayname(alice.user_id)).displayname == "Alice 🐇"


async def test_one_sees_who_is_there():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob)
    # Else her client's next sync might say that she is there after all, before Bob has looked.
    await alice.pause()
    await alice.start(since=alice.client.next_batch, set_presence="offline")
    seen = []
    bob.client.add_presence_callback(lambda event: seen.append((event.user_id, event.presence, event.status_msg)), nio.PresenceEvent)
    done(await alice.client.set_presence("unavailable", "at lunch"))
    await until("Bob sees Alice at lunch", lambda: (alice.user_id, "unavailable", "at lunch") in seen)
    assert done(await bob.client.get_presence(alice.user_id)).status_msg == "at lunch"
    assert room_id in bob.client.rooms


async def test_push_rules_are_set_and_removed():
    (alice,) = await people("alice")
    rules = []
    alice.client.add_global_account_data_callback(lambda event: rules.append(event), nio.PushRulesEvent)
    done(await alice.client.set_pushrule("global", nio.PushRuleKind.content, "cake", pattern="cake", actions=[nio.PushNotify()]))
    await until("the rule came", lambda: rules and any(rule.id == "cake" for rule in rules[-1].global_rules.content))
    done(await alice.client.enable_pushrule("global", nio.PushRuleKind.content, "cake", False))
    done(await alice.client.set_pushrule_actions("global", nio.PushRuleKind.content, "cake", [nio.PushDontNotify()]))
    await until("it is off", lambda: any(rule.id == "cake" and not rule.enabled for rule in rules[-1].global_rules.content))
    done(await alice.client.delete_pushrule("global", nio.PushRuleKind.content, "cake"))
    await until("it is gone", lambda: all(rule.id != "cake" for rule in rules[-1].global_rules.content))


async def test_unread_messages_are_counted():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob)
    await alice.say(room_id, "one")
    last = await alice.say(room_id, "two", **{"m.mentions": {"user_ids": [bob.user_id]}})
    counts = lambda: (bob.room(room_id).unread_notifications, bob.room(room_id).unread_highlights)
    await until("two and one", lambda: counts() == (2, 1))
    done(await bob.client.room_read_markers(room_id, last, last))
    await until("none", lambda: counts() == (0, 0))


async def test_a_filter_narrows_a_sync():
    alice, bob = await people("alice", "bob")
    room_id = await alice.make_room(bob)
    await alice.say(room_id, "signal")
    done(await alice.client.room_send(room_id, "org.example.noise", {}))
    phone = await bob.on_another_device(start=False)
    wanted = {"timeline": {"types": ["m.room.message"], "limit": 3}, "state": {"types": []}}
    filter_id = done(await phone.client.upload_filter(room=wanted)).filter_id
    synced = done(await phone.client.sync(timeout=0, sync_filter=filter_id))
    assert [event.body for event in synced.rooms.join[room_id].timeline.events] == ["signal"]
    assert synced.rooms.join[room_id].state == []


async def test_a_message_to_a_device_arrives_once():
    alice, bob = await people("alice", "bob")
    got = []
    bob.client.add_to_device_callback(lambda event: got.append(event.source["content"]), nio.ToDeviceEvent)
    message = nio.ToDeviceMessage("org.example.ping", bob.user_id, bob.client.device_id, {"body": "ping"})
    done(await alice.client.to_device(message))
    await alice.make_room(bob)
    raw = done(await bob.client.sync(timeout=0, since=bob.client.next_batch))
    assert all(event.source["type"] != "org.example.ping" for event in raw.to_device_events)
    assert got == [{"body": "ping"}]
