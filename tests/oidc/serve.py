"""A whole identity provider, Canaille, in memory: with a log-in, a consent, real keys, and one client.

It runs in an environment of its own (`sh tests/oidc/setup.sh`), beside ours:
`.venv/oidc/bin/python tests/oidc/serve.py --port 8811 --back http://127.0.0.1:8000/desk/login/oidc/back`
"""

from __future__ import annotations

import argparse
import logging

CLIENT = "labor-bot"
SECRET = "secret-of-the-client"
PASSWORD = "correct horse battery staple"
LOGIN = "lin.mei"


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--back", required=True, help="where the client wants browsers back")
    asked = parser.parse_args()

    from canaille import create_app
    from werkzeug.serving import run_simple

    app = create_app(
        {
            "SECRET_KEY": "of-no-worth",
            "SERVER_NAME": f"127.0.0.1:{asked.port}",
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {"DATABASE": "memory", "FORCE_HTTPS": False, "SMTP": None, "LOGGING": {"version": 1}},
            "CANAILLE_OIDC": {"TRUSTED_DOMAINS": []},
        }
    )
    with app.app_context():
        _fill(asked.back)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    run_simple("127.0.0.1", asked.port, app, threaded=True)


def _fill(back: str) -> None:
    """A person and the client."""
    from canaille.app import models
    from canaille.backends import Backend

    user = models.User(
        user_name=LOGIN,
        formatted_name="Lin Mei",
        given_name="Mei",
        family_name="Lin",
        emails=["lin.mei@city.example"],
        password=PASSWORD,
    )
    Backend.instance.save(user)
    client = models.Client(
        client_id=CLIENT,
        client_name="labor-bot",
        client_secret=SECRET,
        client_uri="https://bot.example",
        redirect_uris=[back],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid"],
        token_endpoint_auth_method="client_secret_basic",
    )
    Backend.instance.save(client)
    client.audience = [client]
    Backend.instance.save(client)


if __name__ == "__main__":
    main()
