import asyncio
import os
import secrets

import pytest_asyncio
from mautrix.client import Client
from mautrix.types import BaseRoomEvent, EventType, StrippedStateEvent

# A busy machine does a second's work in many.
PATIENCE_S = 60.0


class Account(Client):
    """An account where what happens in rooms waits in a queue."""

    def __init__(self, **options):
        super().__init__(**options)
        self.heard = asyncio.Queue()
        self.add_event_handler(EventType.ALL, self._hear, wait_sync=True)

    async def _hear(self, event):
        if isinstance(event, (BaseRoomEvent, StrippedStateEvent)):
            await self.heard.put(event)

    async def hears(self, event_id):
        """The event of this ID, as soon as it comes."""
        return await self.hears_what(lambda event: getattr(event, "event_id", None) == event_id)

    async def hears_what(self, is_it):
        """The next event that is the one."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                event = await self.heard.get()
                if is_it(event):
                    return event


@pytest_asyncio.fixture
async def register():
    """Makes accounts that listen, until the test is over."""
    accounts = []

    async def register(name):
        account = Account(base_url=os.environ["HOMESERVER_URL"])
        accounts.append(account)
        username = f"{name}-{secrets.token_hex(4)}"
        body = {"username": username, "password": f"{name} has one", "auth": {"type": "m.login.dummy"}}
        made = await account.api.request("POST", "/_matrix/client/v3/register", body)
        account.mxid, account.api.token = made["user_id"], made["access_token"]
        account.start(None)
        return account

    yield register
    for account in accounts:
        account.stop()
        await account.api.session.close()
