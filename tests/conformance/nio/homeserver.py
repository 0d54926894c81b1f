"""The server under test: where it is, and its life in our hands."""

import os

import aiohttp


def _setting(name: str) -> str:
    value = os.environ.get(name)
    assert value, f"{name} is not set; README.md tells how to run the suite"
    return value


def base_url() -> str:
    """Its address, for instance `http://127.0.0.1:8008`."""
    return _setting("HOMESERVER_URL")


async def kill() -> None:
    """Kills it as `kill -9` does: no goodbye, no last write."""
    await _command("kill")


async def start() -> None:
    """Starts it again on the data it had; returns when it answers."""
    await _command("start")


async def _command(name: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{_setting('HOMESERVER_CONTROL')}/{name}") as response:
            assert response.status < 300, f"the server's keeper cannot {name} it: {await response.text()}"
