import asyncio

import pytest_asyncio

import person


@pytest_asyncio.fixture(autouse=True)
async def everybody_goes_home():
    """Closes the clients of a test after it."""
    yield
    await asyncio.gather(*(one.stop() for one in person.people_of_this_test))
    person.people_of_this_test.clear()
