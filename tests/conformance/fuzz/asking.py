"""Requests byte by byte as they are meant: libraries repair what is wrong with them."""

import http.client
import json
import time
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from world import URL

# A request that is answered later than this hangs.
PATIENCE = 5


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float

    def json(self):
        return json.loads(self.body)

    def errcode(self):
        if self.status < 400 or not self.body.startswith(b"{"):
            return None
        return self.json().get("errcode")


class Line:
    """A connection, made anew when the server has closed it."""

    def __init__(self):
        self.place = urlsplit(URL).netloc
        self.connection = None

    def ask(self, method, target, headers, body):
        if self.connection:
            try:
                return self.ask_here(method, target, headers, body)
            except ConnectionError:
                pass
        self.connection = http.client.HTTPConnection(self.place, timeout=PATIENCE * 2)
        return self.ask_here(method, target, headers, body)

    def ask_here(self, method, target, headers, body):
        start = time.monotonic()
        try:
            self.connection.request(method, target, body=body, headers=headers)
            response = self.connection.getresponse()
            return Answer(response.status, response.headers, response.read(), time.monotonic() - start)
        except Exception:
            self.connection.close()
            self.connection = None
            raise


def segment(value):
    return quote(as_text(value).encode("utf-8", "surrogatepass"), safe="")


def as_text(value):
    return value if isinstance(value, str) else json.dumps(value)


def target_of(template, path, query):
    """The request target: the path's arguments percent-encoded, even dots."""
    # Two paths of the description end in a space, to stand there twice.
    target = template.strip()
    for name, value in path.items():
        encoded = segment(value)
        # A segment of dots alone would mean another path, and empty ones another endpoint.
        target = target.replace(f"{{{name}}}", "%2E" * len(encoded) if set(encoded) == {"."} else encoded or "%20")
    pairs = [(name, as_text(item)) for name, value in query.items() for item in (value if isinstance(value, list) else [value])]
    text = urlencode([(name, item.encode("utf-8", "surrogatepass")) for name, item in pairs])
    return f"{target}?{text}" if text else target
