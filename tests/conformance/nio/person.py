"""Somebody who uses Matrix through matrix-nio. The tests read as what people do."""

import asyncio
import secrets
import time

import aiohttp
import nio

import homeserver

# A busy machine does a second's work in many.
PATIENCE_S = 60.0
LOOK_AGAIN_S = 0.015


async def until(what, probe, patience=PATIENCE_S):
    """Waits for a condition, never for a duration; gives what `probe` gives as soon as that is truthy."""
    deadline = time.monotonic() + patience
    while True:
        found = probe()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {patience} s in vain until {what}"
        await asyncio.sleep(LOOK_AGAIN_S)


def done(response):
    """The response, which must not be an error."""
    assert not isinstance(response, nio.ErrorResponse), f"{type(response).__name__}: {response}"
    return response


def refused(response, errcode):
    """The error, which must be this one."""
    assert isinstance(response, nio.ErrorResponse), f"expected {errcode}, got {response}"
    assert response.status_code == errcode, f"expected {errcode}, got {response}"
    return response


class Client(nio.AsyncClient):
    """nio asks again when a connection breaks; this one does also when that happens in the middle of an answer."""

    async def create_matrix_response(self, *args, **more):
        try:
            return await super().create_matrix_response(*args, **more)
        except aiohttp.ClientPayloadError as error:
            raise aiohttp.ClientConnectionError(str(error)) from error


class Person:
    """An account with a client that may be syncing."""

    def __init__(self, username, password, client):
        self.username = username
        self.password = password
        self.client = client
        self.events = {}
        self.syncing = None
        self.keys = None
        client.add_event_callback(self._saw, nio.Event)

    @classmethod
    async def register(cls, name, start=True, keys=None):
        username = f"{name}-{secrets.token_hex(4)}"
        password = f"{name} has a password"
        client = _client(username, keys)
        done(await client.register(username, password))
        person = cls(username, password, client)
        person.keys = keys
        if start:
            await person.start()
        return person

    @property
    def user_id(self):
        return self.client.user_id

    @property
    def domain(self):
        return self.user_id.split(":", 1)[1]

    def _saw(self, room, event):
        self.events.setdefault(room.room_id, []).append(event)

    async def start(self, **options):
        """Syncs until it is stopped; returns after the first sync."""
        first = self.client.synced
        self.syncing = asyncio.create_task(self.client.sync_forever(timeout=10_000, **options))
        await asyncio.wait_for(first.wait(), PATIENCE_S)
        return self

    async def pause(self):
        """Stops syncing."""
        if self.syncing:
            self.syncing.cancel()
            await asyncio.gather(self.syncing, return_exceptions=True)
            self.syncing = None

    async def stop(self):
        """Closes the client."""
        await self.pause()
        await self.client.close()

    async def on_another_device(self, start=True):
        """The same account on another device."""
        client = _client(self.username, self.keys)
        done(await client.login(self.password))
        other = Person(self.username, self.password, client)
        other.keys = self.keys
        people_of_this_test.append(other)
        return await other.start() if start else other

    async def reopened(self, start=True):
        """The same device, its client opened anew, going on from the last token."""
        client = _client(self.username)
        client.restore_login(self.user_id, self.client.device_id, self.client.access_token)
        again = Person(self.username, self.password, client)
        people_of_this_test.append(again)
        again.events = {room: list(events) for room, events in self.events.items()}
        return await again.start(since=self.client.next_batch) if start else again

    async def make_encrypted_room(self, *others):
        """Makes an encrypted room; gives its id when everybody knows with whose devices."""
        encryption = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
        room_id = await self.make_room(*others, initial_state=[encryption])
        everybody = (self, *others)
        for one in everybody:
            await until(f"{one.username} sees encryption", lambda: one.room(room_id).encrypted)
            await until(
                f"{one.username} knows the devices",
                lambda: all(other is one or one.client.device_store[other.user_id] for other in everybody),
            )
        return room_id

    async def make_room(self, *others, **options):
        """Makes a room; the others are invited and join. Gives its id when everybody has it."""
        invite = [other.user_id for other in others]
        room_id = done(await self.client.room_create(invite=invite, **options)).room_id
        for other in others:
            done(await other.client.join(room_id))
        everybody = {self.user_id, *invite}
        for one in (self, *others):
            if one.syncing:
                await until(f"{one.username} sees everybody", lambda: one.room(room_id) and everybody <= one.room(room_id).users.keys())
        return room_id

    def room(self, room_id):
        return self.client.rooms.get(room_id)

    async def say(self, room_id, body, **more):
        content = {"msgtype": "m.text", "body": body, **more}
        # With keys, to whatever devices there are: nobody compares them here.
        trust = bool(self.keys)
        return done(await self.client.room_send(room_id, "m.room.message", content, ignore_unverified_devices=trust)).event_id

    def texts(self, room_id):
        return [event.body for event in self.events.get(room_id, []) if isinstance(event, nio.RoomMessageText)]

    async def reads(self, room_id, event_id):
        """The event, once it is there."""
        found = lambda: next((event for event in self.events.get(room_id, []) if event.event_id == event_id), None)
        return await until(f"{self.username} has {event_id}", found)

    async def whole_room(self, room_id, page=30, start=""):
        """Every event from the newest to the start of the room, oldest first."""
        events = []
        while True:
            response = done(await self.client.room_messages(room_id, start, limit=page))
            events += response.chunk
            start = response.end
            if not start:
                return list(reversed(events))


def _client(username, keys=None):
    """A client; one that encrypts, if it has a directory for its keys."""
    config = nio.AsyncClientConfig(
        max_timeouts=100, backoff_factor=0.05, max_timeout_retry_wait_time=0.5, request_timeout=30, encryption_enabled=bool(keys)
    )
    return Client(homeserver.base_url(), username, store_path=str(keys or ""), config=config)


people_of_this_test = []


async def people(*names):
    """Several people at once, logged in and syncing."""
    everybody = await asyncio.gather(*(Person.register(name) for name in names))
    people_of_this_test.extend(everybody)
    return everybody


async def encrypting_people(directory, *names):
    """Several people at once whose clients encrypt, with their keys in a directory."""
    everybody = await asyncio.gather(*(Person.register(name, keys=directory) for name in names))
    people_of_this_test.extend(everybody)
    return everybody
