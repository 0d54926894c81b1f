"""Every operation of the client-server API, asked well and badly: the server answers, at once, and as the specification says."""

import json
import os
from pathlib import Path

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, note, seed, settings, strategies as st
from schemathesis import GenerationMode
from schemathesis.core import NOT_SET

from asking import PATIENCE, Line, target_of
from bodies import body
from servers import names_another
from values import argument
from world import World

# How many requests are made of each operation, and what they are drawn from.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "15"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))

FILE = Path(__file__).parent.parent / "spec/client-server.json"
API = json.loads(FILE.read_text())
SCHEMA = schemathesis.openapi.from_path(str(FILE))
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]

# After these Mallory is no longer where she was.
MOVES = {"logout", "logout_all", "deactivateAccount", "changePassword", "leaveRoom", "forgetRoom", "deleteDevice", "deleteDevices",
         "kick", "ban", "upgradeRoom", "setPushRuleEnabled", "refresh", "setRoomStateWithKey"}

# An event fits both of the shapes of which its description wants one.
AMBIGUOUS = {"getRoomStateWithKey"}

# Here null stands for what is not known: matrix-nio refuses devices that lack a field, and other servers write it too.
WITH_NULLS = {"getDevices", "getDevice", "getWhoIs"}

# An empty object says that there is nothing: clients know it as the answer of a server without a TURN server.
MAYBE_EMPTY = {"getTurnServer"}

# Of uploads.
TYPES = ["image/png", "text/plain", "text/html", "image/svg+xml", "x", 'a/b; c="']

line = Line()


@pytest.fixture(scope="module")
def world():
    return World()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.definition.raw["operationId"])
def test_operation(operation, world):
    raw = operation.definition.raw
    if not is_implemented(operation, world):
        pytest.skip("not implemented here")

    @seed(SEED)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.explicit, Phase.generate, Phase.shrink],
              suppress_health_check=list(HealthCheck))
    @given(requests_of(operation, world), st.sampled_from(["mallory"] * 12 + ["nobody", "liar"]))
    def ask(request, caller):
        path, query, body, content_type = request
        headers = {"content-type": content_type} if body is not None else {}
        if caller != "nobody":
            headers["authorization"] = "Bearer " + (world.mallory.token if caller == "mallory" else "no such token")
        target = target_of(operation.path, path, query)
        note(f"{operation.method.upper()} {target} as {caller}\n{body!r}")
        answer = line.ask(operation.method.upper(), target, headers, body)
        note(f"{answer.status} in {answer.seconds:.2f} s: {answer.body[:2000]!r}")
        check(answer, raw, names_another(world.server_name, path, query, body))
        if answer.errcode() == "M_UNKNOWN_TOKEN" and caller == "mallory":
            world.renew()

    ask()
    if raw["operationId"] in MOVES:
        world.renew()


def is_implemented(operation, world):
    path = {parameter.name: "x" for parameter in operation.path_parameters}
    headers = {"authorization": f"Bearer {world.mallory.token}", "content-type": "application/json"}
    answer = line.ask(operation.method.upper(), target_of(operation.path, path, {}), headers, b"?")
    return answer.errcode() != "M_UNRECOGNIZED"


def requests_of(operation, world):
    """A strategy for requests: arguments of the path, of the query, the body and its type."""
    allowed = operation.as_strategy(GenerationMode.POSITIVE)
    content = operation.definition.raw.get("requestBody", {}).get("content", {})

    @st.composite
    def requests(draw):
        # Half of the requests could succeed; in the others, half of the arguments are wrong.
        honest = draw(st.booleans())
        room = draw(st.sampled_from(["own", "own", "own", "shared", *world.rooms]))
        case = draw(allowed)

        def arguments(parameters, values):
            chosen = {}
            for parameter in parameters:
                well = honest or draw(st.booleans())
                found = argument(world, parameter.name, parameter.definition.get("schema", {}), room, well)
                waits = parameter.name in ("timeout", "timeout_ms")
                if found is not None and (parameter.name in values or waits or not well):
                    chosen[parameter.name] = draw(found)
            return values | chosen

        path = arguments(operation.path_parameters, dict(case.path_parameters or {}))
        query = arguments(operation.query, {k: v for k, v in dict(case.query or {}).items() if k != "access_token"})
        if not content:
            return path, query, None, None
        is_json = "application/json" in content
        value = case.body if is_json and case.body is not NOT_SET else None
        if "keyName" in path:
            value = {path["keyName"]: "mxc://test.example/picture"}
        written = draw(body(world, room, honest or draw(st.booleans()), value))
        return path, query, written, "application/json" if is_json else draw(st.sampled_from(TYPES))

    return requests()


def check(answer, raw, other):
    assert answer.seconds < PATIENCE, "it hangs"
    # Names of other servers lead nowhere from here, and that is what 502 says, of them alone.
    told = answer.status == 502 and other or answer.errcode() == "M_NOT_YET_UPLOADED"
    assert answer.status < 500 or told, "it breaks"
    assert answer.headers["access-control-allow-origin"] == "*", "no browser may read this"
    if answer.status >= 400:
        assert answer.headers["content-type"] == "application/json"
        error = answer.json()
        if answer.status == 401 and "flows" in error:
            return
        assert isinstance(error.get("errcode"), str) and error["errcode"].startswith("M_"), "no errcode"
        assert isinstance(error.get("error"), str) and len(error["error"]) > 5, "no sentence for people"
    elif raw["operationId"] in AMBIGUOUS:
        pass
    elif schema := raw["responses"].get(str(answer.status), {}).get("content", {}).get("application/json", {}).get("schema"):
        assert answer.headers["content-type"] == "application/json"
        told = answer.json()
        if not told and raw["operationId"] in MAYBE_EMPTY:
            return
        validator(schema).validate(without_nulls(told) if raw["operationId"] in WITH_NULLS else told)


def without_nulls(value):
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


VALIDATORS = {}


def validator(schema):
    key = json.dumps(schema)
    if key not in VALIDATORS:
        VALIDATORS[key] = jsonschema_rs.Draft202012Validator({**schema, "components": API["components"]}, validate_formats=False)
    return VALIDATORS[key]
