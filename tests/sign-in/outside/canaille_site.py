"""PyPI canaille, a directory of people with an authorization server of its own, and an API that judges its tokens by their signatures.

Started as `python canaille_site.py PORT API_PORT LOGIN=NAME …`; the rest says who has an account.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from canaille.oidc.jose import decode_server_token
from flask import Flask
from werkzeug.serving import run_simple

# What `browse.mjs` types.
PASSWORD = "any password"


def application(port: str, people: list[str]) -> Flask:
    configuration = {
        "SECRET_KEY": "signs the cookies of a test",
        "SERVER_NAME": f"127.0.0.1:{port}",
        "PREFERRED_URL_SCHEME": "http",
        "CANAILLE": {"DATABASE": "memory"},
        # Otherwise clients on loopback would be trusted, and nobody asked for consent.
        "CANAILLE_OIDC": {"DYNAMIC_CLIENT_REGISTRATION_OPEN": True, "TRUSTED_DOMAINS": []},
    }
    app = create_app(configuration)
    with app.app_context():
        for person in people:
            login, name = person.split("=")
            user = models.User(
                user_name=login,
                formatted_name=name,
                family_name=name,
                emails=[f"{login}@readers.example"],
                password=PASSWORD,
            )
            Backend.instance.save(user)
    return app


class Api(BaseHTTPRequestHandler):
    """Names the person whom a token stands for."""

    app: Flask
    issuer: str

    def do_GET(self) -> None:
        name = self.path == "/me" and self._name()
        status, body = (200, {"name": name}) if name else (401, {"message": "the token is not canaille's"})
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _name(self) -> Any:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            return None
        with self.app.app_context():
            decoded = decode_server_token(token)
        claims = decoded.claims if decoded else {}
        is_good = claims.get("iss") == self.issuer and claims.get("exp", 0) > time.time()
        return claims.get("name") if is_good else None


def main() -> None:
    port, api_port, *people = sys.argv[1:]
    Api.app = application(port, people)
    Api.issuer = f"http://127.0.0.1:{port}"
    api = ThreadingHTTPServer(("127.0.0.1", int(api_port)), Api)
    threading.Thread(target=api.serve_forever, daemon=True).start()
    run_simple("127.0.0.1", int(port), Api.app, threaded=True)


if __name__ == "__main__":
    main()
