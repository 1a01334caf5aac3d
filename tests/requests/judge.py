"""Has openapi-core judge the requests that `portcullis-bench requests` wrote down.

Started as `judge.py DOCUMENT CALLS`; prints a line of JSON for each call that sent a request: the errors, as text,
and those of each broken form of it.
Each operation is judged by a document of its own, so that what is said is about this operation,
and the time does not grow with the number of paths.
"""

import base64
import json
import re
import sys
from urllib.parse import parse_qsl, unquote, urlsplit

from openapi_core import OpenAPI
from openapi_core.configurations import Config
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
HOST = "http://127.0.0.1"
# Media types under which our requests have JSON, and that openapi-core does not know as such; all JSON is YAML.
ALSO_JSON = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "*/*",
)
# Text that openapi-core does not know as such.
ALSO_TEXT = ("text/x-markdown",)
# "If `in` is "header" and the `name` field is one of these, the parameter definition SHALL be ignored."
IGNORED_HEADERS = ("accept", "content-type", "authorization")


class Request:
    """What openapi-core asks of a request."""

    def __init__(self, recorded):
        target = urlsplit(recorded["target"])
        headers = Headers(recorded["headers"])
        cookies = [
            part.strip().split("=", 1)
            for part in headers.get("cookie", "").split(";")
            if "=" in part
        ]
        self.host_url = HOST
        # As the frameworks that openapi-core is made for hand it over.
        self.path = unquote(target.path)
        self.method = recorded["method"].lower()
        self.content_type = headers.get("content-type", "")
        self.body = base64.b64decode(recorded["body"]) or None
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(parse_qsl(target.query, keep_blank_values=True)),
            header=headers,
            cookie=ImmutableMultiDict(cookies),
        )


def resolved(document, part):
    """A part, or what it refers to."""
    if "$ref" not in part:
        return part
    target = document
    for key in part["$ref"].split("/")[1:]:
        key = unquote(key).replace("~1", "/").replace("~0", "~")
        target = target[int(key) if isinstance(target, list) else key]
    return resolved(document, target)


def without_ignored(document, part):
    """An operation or a path without the parameters that OpenAPI ignores."""

    def is_ignored(parameter):
        parameter = resolved(document, parameter)
        return parameter.get("in") == "header" and parameter["name"].lower() in IGNORED_HEADERS

    kept = [each for each in part.get("parameters", []) if not is_ignored(each)]
    return {**part, "parameters": kept}


def of_operation(document, path, method):
    """The document with one operation, at our host."""
    item = without_ignored(document, document["paths"][path])
    kept = {key: value for key, value in item.items() if key not in METHODS and key != "servers"}
    operation = {key: value for key, value in item[method].items() if key != "servers"}
    kept[method] = without_ignored(document, operation)
    # A query or a fragment that is written into the path is no part of what a router compares.
    only = {re.split("[?#]", path, maxsplit=1)[0]: kept}
    return {**document, "servers": [{"url": HOST}], "paths": only}


def causes(error):
    """An error and what lies below it, in one line."""
    said = []
    while error is not None and len(said) < 4:
        schema_errors = getattr(error, "schema_errors", None)
        text = f"{type(error).__name__}: {error}"
        if schema_errors:
            text += " " + "; ".join(each.message for each in schema_errors)
        said.append(text)
        error = error.__cause__
    return " < ".join(said)[:1000]


def judged(judge, recorded):
    """The errors of a request; that it cannot be judged is one too."""
    try:
        return [causes(error) for error in judge.iter_request_errors(Request(recorded))]
    except Exception as error:  # noqa: BLE001: whatever it stumbles over is told
        return ["cannot judge: " + causes(error)]


def main(document_file, calls_file):
    with open(document_file, encoding="utf-8") as file:
        text = file.read()
    document = json.loads(text)
    if '"#/paths/' in text:
        # Documents refer to parts of other operations, too.
        document = json.loads(text.replace('"#/paths/', '"#/x-paths/'))
        document["x-paths"] = document["paths"]
    judges = {}
    with open(calls_file, encoding="utf-8") as calls:
        for number, line in enumerate(calls):
            call = json.loads(line)
            if call["request"] is None:
                continue
            _, _, path, method = call["pointer"].split("/")
            path = path.replace("~1", "/").replace("~0", "~")
            if (path, method) not in judges:
                config = Config(
                    spec_validator_cls=None,
                    extra_media_type_deserializers={
                        **dict.fromkeys(ALSO_JSON, json.loads),
                        **dict.fromkeys(ALSO_TEXT, bytes.decode),
                    },
                )
                operation = of_operation(document, path, method)
                judges = {(path, method): OpenAPI.from_dict(operation, config=config)}
            judge = judges[(path, method)]
            errors = judged(judge, call["request"])
            broken = [judged(judge, each["request"]) for each in call["broken"]]
            print(json.dumps({"call": number, "errors": errors, "broken": broken}), flush=False)


main(*sys.argv[1:])
