"""Whether a request names another server: one that cannot be reached may be what an answer tells of, and nothing else may."""

import json

# Arguments and properties that are the name of a server as a whole.
WHOLE = {"serverName", "server", "via", "server_name", "servers"}
SIGILS = "@!#$"


def names_another(own, path, query, body):
    """Whether anything in a request's path, query or body leads to a server that is not this one."""
    try:
        told = json.loads(body) if body else None
    except (ValueError, RecursionError):
        told = None
    return any(name and name != own for name in named("", [path, query, told]))


def named(key, value):
    """The servers that a value names, if it stands under this key."""
    if isinstance(value, dict):
        for inner, item in value.items():
            yield from named("", inner)
            yield from named(inner, item)
    elif isinstance(value, list):
        for item in value:
            yield from named(key, item)
    elif isinstance(value, str):
        if key in WHOLE:
            yield value
        elif value.startswith("mxc://"):
            yield value.removeprefix("mxc://").partition("/")[0]
        elif value[:1] in SIGILS:
            yield value.partition(":")[2]
