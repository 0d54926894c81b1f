"""A small world to be hostile in: people, rooms and what is in them, and somebody who attacks it."""

import base64
import os
import uuid
from urllib.parse import quote

import requests

URL = os.environ.get("HOMESERVER_URL", "http://127.0.0.1:8008")
PATIENCE = 10
# One pixel.
PICTURE = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")


class Person:
    """Somebody on a device."""

    password = "the password of everybody"

    def __init__(self, name):
        self.name = f"{name}-{uuid.uuid4().hex[:8]}"
        self.http = requests.Session()
        self.register()

    def register(self):
        body = {"username": self.name, "password": self.password, "auth": {"type": "m.login.dummy"}}
        self.enter("register", body)

    def enter(self, path, body):
        answer = requests.post(f"{URL}/_matrix/client/v3/{path}", json=body, timeout=PATIENCE)
        answer.raise_for_status()
        login = answer.json()
        self.user_id, self.device_id, self.token = login["user_id"], login["device_id"], login["access_token"]
        self.http.headers["authorization"] = f"Bearer {self.token}"

    def ask(self, method, path, body=None, **more):
        url = path if path.startswith("/") else f"/_matrix/client/v3/{path}"
        answer = self.http.request(method, URL + url, json=body, timeout=PATIENCE, **more)
        answer.raise_for_status()
        return answer.json()

    def post(self, path, body):
        return self.ask("POST", path, body)

    def put(self, path, body):
        return self.ask("PUT", path, body)

    def send(self, room, kind, content):
        return self.put(f"rooms/{quote(room)}/send/{kind}/{uuid.uuid4().hex}", content)["event_id"]


class World:
    """Alice and her rooms; Mallory, who is in some, was in some and may not see others."""

    def __init__(self):
        self.alice = Person("alice")
        self.alias = f"#hostile-{uuid.uuid4().hex[:8]}:{self.alice.user_id.partition(':')[2]}"
        self.rooms, self.events = {}, {}
        self.renew()

    def renew(self):
        """Mallory anew: she may have logged herself out, or worse."""
        alice, self.mallory = self.alice, Person("mallory")
        mallory = self.mallory
        for name, preset in (("shared", "public_chat"), ("invited", "private_chat"), ("left", "private_chat"),
                             ("banned", "private_chat"), ("closed", "private_chat"), ("plain", "trusted_private_chat")):
            invited = [] if name == "closed" else [mallory.user_id]
            room = alice.post("createRoom", {"preset": preset, "invite": invited, "name": name})["room_id"]
            self.rooms[name] = room
            first = alice.send(room, "m.room.message", {"msgtype": "m.text", "body": f"early in {name}"})
            if name not in ("closed", "invited"):
                mallory.post(f"join/{quote(room)}", {})
            self.events[name] = [first, alice.send(room, "m.room.message", {"msgtype": "m.text", "body": f"in {name}"})]
        alice.put(f"rooms/{quote(self.rooms['shared'])}/state/org.example.kept/key", {"a": 1})
        mallory.post(f"rooms/{quote(self.rooms['left'])}/leave", {})
        alice.post(f"rooms/{quote(self.rooms['banned'])}/ban", {"user_id": mallory.user_id})
        alice.send(self.rooms["left"], "m.room.message", {"msgtype": "m.text", "body": "after she left"})
        self.rooms["own"] = mallory.post("createRoom", {"preset": "public_chat", "topic": "of her own"})["room_id"]
        thread = mallory.send(self.rooms["own"], "m.room.message", {"msgtype": "m.text", "body": "a thread"})
        reply = {"msgtype": "m.text", "body": "in it", "m.relates_to": {"rel_type": "m.thread", "event_id": thread}}
        self.events["own"] = [thread, mallory.send(self.rooms["own"], "m.room.message", reply)]
        self.filter_id = mallory.post(f"user/{quote(mallory.user_id)}/filter", {"room": {"timeline": {"limit": 3}}})["filter_id"]
        mallory.put(f"user/{quote(mallory.user_id)}/account_data/org.example.kept", {"a": 1})
        mallory.put(f"user/{quote(mallory.user_id)}/rooms/{quote(self.rooms['own'])}/tags/u.kept", {"order": 0.5})
        mallory.put("pushrules/global/content/kept", {"pattern": "kept", "actions": ["notify"]})
        upload = mallory.http.post(f"{URL}/_matrix/media/v3/upload", data=PICTURE, headers={"content-type": "image/png"})
        self.server_name, _, self.media_id = upload.json()["content_uri"].removeprefix("mxc://").partition("/")
        for field in ("displayname", "m.tz", "org.example.kept"):
            mallory.put(f"profile/{quote(mallory.user_id)}/{field}", {field: "Europe/Zurich"})
        mallory.put(f"user/{quote(mallory.user_id)}/rooms/{quote(self.rooms['own'])}/account_data/org.example.kept", {"a": 1})
        mallory.put(f"rooms/{quote(self.rooms['own'])}/state/org.example.kept/key", {"a": 1})
        mallory.put(f"rooms/{quote(self.rooms['own'])}/state/m.room.name", {"name": "own"})
        page = mallory.ask("GET", f"rooms/{quote(self.rooms['own'])}/messages?dir=b&limit=3")
        self.tokens = [mallory.ask("GET", "sync")["next_batch"], page.get("end") or page["start"]]

    def new_name(self):
        return f"somebody-{uuid.uuid4().hex[:8]}"

    def new_alias(self):
        return f"#{self.new_name()}:{self.alice.user_id.partition(':')[2]}"

    def promised(self):
        """A place for media that are not there yet, of which there may be only so many."""
        answer = self.mallory.http.post(f"{URL}/_matrix/media/v1/create", json={}, timeout=PATIENCE)
        return answer.json()["content_uri"].rpartition("/")[2] if answer.ok else self.media_id

    def refresh_token(self):
        login = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": self.mallory.name},
                 "password": Person.password, "refresh_token": True}
        return self.mallory.post("login", login)["refresh_token"]
