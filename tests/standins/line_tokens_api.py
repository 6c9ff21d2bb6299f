"""The endpoints that issue, verify and revoke channel access tokens."""

from __future__ import annotations

from urllib.parse import parse_qs

from .line_account import OAUTH_SECONDS
from .line_http import Answer, Call, Gate
from .line_messages_api import Rows

SHORT_SECONDS = 30 * 86400
CLIENT_ID = "1000000000"


class TokensApi:
    """Handlers; `rows` lists them. `secret` is the channel's."""

    def __init__(self, gate: Gate, secret: str) -> None:
        self._account = gate.account
        self._secret = secret

    def rows(self) -> Rows:
        """The endpoints."""
        return [
            ("POST", "/oauth2/v3/token", "oauth issue", self._stateless, ""),
            ("POST", "/oauth2/v2.1/token", "oauth issue", self._by_assertion, ""),
            ("POST", "/v2/oauth/accessToken", "oauth issue", self._by_secret, ""),
            ("GET", "/oauth2/v2.1/verify", "oauth verify", self._verify, ""),
            ("POST", "/v2/oauth/verify", "oauth verify", self._verify, ""),
            ("POST", "/oauth2/v2.1/revoke", "oauth revoke", self._revoke, ""),
            ("POST", "/v2/oauth/revoke", "oauth revoke", self._revoke, ""),
        ]

    def _stateless(self, call: Call) -> Answer:
        form = _form(call)
        known = form.get("client_secret") == self._secret or form.get("client_assertion")
        return self._issued(OAUTH_SECONDS) if known else _refused("invalid_client")

    def _by_assertion(self, call: Call) -> Answer:
        if not _form(call).get("client_assertion"):
            return _refused("invalid_client")
        return self._issued(SHORT_SECONDS, key_id=f"key-{self._account.number()}")

    def _by_secret(self, call: Call) -> Answer:
        known = _form(call).get("client_secret") == self._secret
        return self._issued(SHORT_SECONDS) if known else _refused("invalid_client")

    def _issued(self, seconds: int, **more: str) -> Answer:
        token = self._account.issue_access_token(seconds)
        return Answer(document={"access_token": token, "expires_in": seconds, "token_type": "Bearer", **more})

    def _verify(self, call: Call) -> Answer:
        token = call.query.get("access_token") or _form(call).get("access_token", "")
        left = self._account.token_seconds(token)
        if left == 0:
            return _refused("invalid_request", "access token expired")
        seconds = SHORT_SECONDS if left is None else int(left)
        return Answer(document={"client_id": CLIENT_ID, "expires_in": seconds, "scope": "P CM"})

    def _revoke(self, call: Call) -> Answer:
        self._account.tokens.pop(_form(call).get("access_token", ""), None)
        return Answer()


def _form(call: Call) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(call.body.decode("utf-8", "replace")).items()}


def _refused(error: str, description: str = "") -> Answer:
    return Answer(400, {"error": error, "error_description": description or error})
