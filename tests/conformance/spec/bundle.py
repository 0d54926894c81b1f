"""Writes client-server.json anew: python bundle.py MATRIX_SPEC_CHECKOUT VERSION (needs PyYAML)."""

import json
import sys
from pathlib import Path

import yaml

HERE = Path(__file__).parent
METHODS = ("get", "put", "post", "delete", "patch", "head")
# Words for people, which tests do not read.
WORDS = ("description", "summary", "title", "example", "examples", "externalDocs", "deprecated")


class Bundle:
    """The files of an API as one document: what they refer to stands under components."""

    def __init__(self, checkout):
        self.data = (Path(checkout) / "data").resolve()
        self.files = {}
        self.schemas = {}

    def file(self, path):
        if path not in self.files:
            self.files[path] = yaml.safe_load(path.read_text())
        return self.files[path]

    def found(self, reference, here):
        """What a reference means: the value, the file that it stands in, a name for it."""
        path, _, pointer = reference.partition("#")
        file = (here.parent / path).resolve() if path else here
        value = self.file(file)
        steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/") if step]
        for step in steps:
            value = value[step]
        return value, file, ".".join([*file.relative_to(self.data).with_suffix("").parts, *steps])

    def bundled(self, value, here, names=False):
        """A value without words and without references to files. `names`: its keys are names of properties."""
        if isinstance(value, list):
            return [self.bundled(item, here) for item in value]
        if not isinstance(value, dict):
            return value
        if not names and isinstance(value.get("$ref"), str):
            found, file, name = self.found(value["$ref"], here)
            if name not in self.schemas:
                self.schemas[name] = None  # It may refer to itself.
                self.schemas[name] = self.bundled(found, file)
            return {"$ref": f"#/components/schemas/{name}"}
        kept = value.items() if names else [(k, v) for k, v in value.items() if k not in WORDS and not k.startswith("x-")]
        return {key: self.bundled(item, here, key == "properties") for key, item in kept}

    def parameter(self, value, here):
        if "$ref" in value:
            value, here, _ = self.found(value["$ref"], here)
        return self.bundled(value, here)

    def operation(self, value, here):
        operation = {"operationId": value["operationId"], "x-file": here.stem}
        if "security" in value:
            operation["security"] = value["security"]
        if "parameters" in value:
            operation["parameters"] = [self.parameter(parameter, here) for parameter in value["parameters"]]
        for key in ("requestBody", "responses"):
            if key in value:
                operation[key] = self.bundled(value[key], here)
        return operation

    def paths(self):
        paths = {}
        for here in sorted((self.data / "api/client-server").glob("*.yaml")):
            api = self.file(here)
            base = api["servers"][0].get("variables", {}).get("basePath", {}).get("default", "")
            for path, item in api["paths"].items():
                for method in METHODS:
                    if method in item:
                        paths.setdefault(base + path, {})[method] = self.operation(item[method], here)
        return paths


def line_by_line(value, depth):
    """JSON of which each entry of the outer `depth` levels has a line of its own."""
    if depth == 0:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    entries = (f"{json.dumps(key)}:{line_by_line(item, depth - 1)}" for key, item in value.items())
    return "{\n" + ",\n".join(entries) + "\n}"


def main(checkout, version):
    bundle = Bundle(checkout)
    paths = bundle.paths()
    operations = line_by_line(paths, 2)
    schemas = line_by_line(bundle.schemas, 1)
    info = json.dumps({"title": "Matrix client-server API", "version": version, "license": {"name": "Apache-2.0"}})
    api = f'{{"openapi":"3.1.0","info":{info},\n"paths":{operations},\n"components":{{"schemas":{schemas}}}}}\n'
    (HERE / "client-server.json").write_text(api)


if __name__ == "__main__":
    main(*sys.argv[1:])
