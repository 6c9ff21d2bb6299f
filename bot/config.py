"""The configuration of the house: settings read from the environment, secrets also from files."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot import keys
from bot.hours import DEFAULT, HoursError, Week, week_of
from bot.messages import Retention
from bot.settings import TABLE, Setting


class ConfigError(Exception):
    """A setting cannot be used; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Config:
    """The settings as the house uses them."""

    host: str
    port: int
    data_dir: Path
    database: Path | str
    store_keys: tuple[tuple[str, bytes], ...]
    knowledge_dir: Path | None
    public_url: str
    trusted_proxies: tuple[str, ...]
    exit_url: str
    hook_secret: str
    hook_reply_url: str
    line_secret: str
    line_token: str
    line_api_base: str
    telegram_token: str
    telegram_secret: str
    telegram_api_base: str
    telegram_polling: bool
    staff_telegram_token: str
    staff_telegram_chat: str
    translate_url: str
    translate_key: str
    service_hours: Week
    hold_seconds: float
    first_answer_seconds: float
    retention: Retention
    per_minute: int
    per_minute_ip: int
    burst: int
    per_minute_channel: int
    per_minute_all: int
    saturated_seconds: int
    request_seconds: int
    encoder: bool
    totp_required: bool
    oidc_issuer: str
    oidc_client_id: str
    oidc_client_secret: str
    oidc_name: str
    log_level: str
    log_format: str
    metrics_token: str
    notice_seconds: int
    drain_seconds: int
    backup_dir: Path | None

    @property
    def secure(self) -> bool:
        """Do people come over https?"""
        return self.public_url.startswith("https://")

    @property
    def hook_on(self) -> bool:
        """Is the generic webhook switched on?"""
        return bool(self.hook_secret)

    @property
    def line_on(self) -> bool:
        """Is LINE switched on?"""
        return bool(self.line_secret)

    @property
    def telegram_on(self) -> bool:
        """Is Telegram switched on?"""
        return bool(self.telegram_token)

    @property
    def staff_notice_on(self) -> bool:
        """Is a staff group told of new cases?"""
        return bool(self.staff_telegram_token)

    @property
    def oidc_on(self) -> bool:
        """May staff log in with an identity provider?"""
        return bool(self.oidc_issuer)

    def web_key(self) -> bytes:
        """The installation's own key for web sessions: made once, kept in the data folder for its owner only."""
        path = self.data_dir / "web.key"
        if not path.exists():
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = path.with_suffix(f".{os.getpid()}")
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(secrets.token_bytes(32))
            try:
                os.link(fresh, path)
            except FileExistsError:
                pass
            fresh.unlink()
        return path.read_bytes()


def load(environ: Mapping[str, str] | None = None) -> Config:
    """Read every setting.

    Raises ConfigError when one cannot be used.
    """
    values = {setting.name: _value(setting, os.environ if environ is None else environ) for setting in TABLE}
    data_dir = Path(values["LABOR_BOT_DATA_DIR"])
    if values["LABOR_BOT_HOOK_SECRET"] and not values["LABOR_BOT_HOOK_REPLY_URL"]:
        raise ConfigError("LABOR_BOT_HOOK_SECRET is set but LABOR_BOT_HOOK_REPLY_URL is not: set both, or neither.")
    _together(values, "LABOR_BOT_LINE_CHANNEL_SECRET", "LABOR_BOT_LINE_CHANNEL_TOKEN")
    _together(values, "LABOR_BOT_STAFF_TELEGRAM_TOKEN", "LABOR_BOT_STAFF_TELEGRAM_CHAT")
    polling = _either("LABOR_BOT_TELEGRAM_MODE", values, "polling", "webhook")
    return Config(
        host=values["LABOR_BOT_HOST"],
        port=_whole("LABOR_BOT_PORT", values, 0, 65535),
        data_dir=data_dir,
        database=_database(values["LABOR_BOT_DATABASE_URL"], data_dir),
        store_keys=_store_keys(values),
        knowledge_dir=Path(values["LABOR_BOT_KNOWLEDGE_DIR"]) if values["LABOR_BOT_KNOWLEDGE_DIR"] else None,
        public_url=values["LABOR_BOT_PUBLIC_URL"].rstrip("/"),
        trusted_proxies=tuple(part.strip() for part in values["LABOR_BOT_TRUSTED_PROXIES"].split(",") if part.strip()),
        exit_url=values["LABOR_BOT_EXIT_URL"],
        hook_secret=values["LABOR_BOT_HOOK_SECRET"],
        hook_reply_url=values["LABOR_BOT_HOOK_REPLY_URL"],
        line_secret=values["LABOR_BOT_LINE_CHANNEL_SECRET"],
        line_token=values["LABOR_BOT_LINE_CHANNEL_TOKEN"],
        line_api_base=values["LABOR_BOT_LINE_API_BASE"].rstrip("/"),
        telegram_token=_telegram_token("LABOR_BOT_TELEGRAM_TOKEN", values),
        telegram_secret=_telegram_secret(values, polling),
        telegram_api_base=_bot_api(values["LABOR_BOT_TELEGRAM_API_BASE"]),
        telegram_polling=polling,
        staff_telegram_token=_telegram_token("LABOR_BOT_STAFF_TELEGRAM_TOKEN", values),
        staff_telegram_chat=values["LABOR_BOT_STAFF_TELEGRAM_CHAT"],
        translate_url=_translate_url(values),
        translate_key=values["LABOR_BOT_TRANSLATE_KEY"],
        service_hours=_service_hours(values),
        hold_seconds=60.0 * _whole("LABOR_BOT_HOLD_MINUTES", values, 1, 100_000),
        first_answer_seconds=60.0 * _whole("LABOR_BOT_FIRST_ANSWER_MINUTES", values, 1, 100_000),
        retention=_retention(values),
        per_minute=_whole("LABOR_BOT_MESSAGES_PER_MINUTE", values, 1, 1_000_000),
        per_minute_ip=_whole("LABOR_BOT_MESSAGES_PER_MINUTE_IP", values, 1, 1_000_000),
        burst=_whole("LABOR_BOT_BURST", values, 1, 1_000_000),
        per_minute_channel=_whole("LABOR_BOT_MESSAGES_PER_MINUTE_CHANNEL", values, 1, 100_000_000),
        per_minute_all=_whole("LABOR_BOT_MESSAGES_PER_MINUTE_ALL", values, 1, 100_000_000),
        saturated_seconds=_whole("LABOR_BOT_SATURATED_SECONDS", values, 1, 3600),
        request_seconds=_whole("LABOR_BOT_REQUEST_SECONDS", values, 1, 3600),
        encoder=_either("LABOR_BOT_ENCODER", values, "auto", "off"),
        totp_required=_either("LABOR_BOT_STAFF_TOTP", values, "required", "optional"),
        oidc_issuer=_oidc_issuer(values),
        oidc_client_id=values["LABOR_BOT_OIDC_CLIENT_ID"],
        oidc_client_secret=values["LABOR_BOT_OIDC_CLIENT_SECRET"],
        oidc_name=values["LABOR_BOT_OIDC_NAME"],
        log_level=_level(values["LABOR_BOT_LOG_LEVEL"]),
        log_format="json" if _either("LABOR_BOT_LOG_FORMAT", values, "json", "text") else "text",
        metrics_token=_metrics_token(values["LABOR_BOT_METRICS_TOKEN"]),
        notice_seconds=_whole("LABOR_BOT_NOTICE_SECONDS", values, 0, 600),
        drain_seconds=_whole("LABOR_BOT_DRAIN_SECONDS", values, 1, 600),
        backup_dir=Path(values["LABOR_BOT_BACKUP_DIR"]) if values["LABOR_BOT_BACKUP_DIR"] else None,
    )


def _value(setting: Setting, environ: Mapping[str, str]) -> str:
    file = environ.get(f"{setting.name}_FILE") if setting.secret else None
    if file:
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(f"{setting.name}_FILE cannot be read: {error.strerror}.") from error
    return environ.get(setting.name, setting.default)


def _whole(name: str, values: Mapping[str, str], low: int, high: int) -> int:
    text = values[name]
    if not text.isdecimal() or not low <= int(text) <= high:
        raise ConfigError(f"{name} must be a whole number from {low} to {high}, not {text!r}.")
    return int(text)


def _retention(values: Mapping[str, str]) -> Retention:
    """How long things are kept. Special answers never outlive the conversation they were told in."""
    names = ("CHAT", "SPECIAL", "CASE", "UNDELIVERED", "HASH", "MASKED")
    chat, special, *others = (_whole(f"LABOR_BOT_KEEP_{n}_DAYS", values, 1, 3650) for n in names)
    if special > chat:
        raise ConfigError("LABOR_BOT_KEEP_SPECIAL_DAYS must not be more than LABOR_BOT_KEEP_CHAT_DAYS.")
    return Retention(chat, special, *others)


def _either(name: str, values: Mapping[str, str], yes: str, no: str) -> bool:
    """True for the one word, False for the other."""
    if values[name] not in (yes, no):
        raise ConfigError(f"{name} must be {yes} or {no}, not {values[name]!r}.")
    return values[name] == yes


def _together(values: Mapping[str, str], *names: str) -> None:
    """All of them are set, or none."""
    missing = [name for name in names if not values[name]]
    if missing and len(missing) < len(names):
        there = next(name for name in names if values[name])
        raise ConfigError(f"{there} is set but {missing[0]} is not: set both, or neither.")


def _telegram_token(name: str, values: Mapping[str, str]) -> str:
    token = values[name]
    if token and not re.fullmatch(r"\d+:[A-Za-z0-9_-]+", token):
        raise ConfigError(f"{name} must look like 123456:ABC-def, as BotFather gives it.")
    return token


def _telegram_secret(values: Mapping[str, str], polling: bool) -> str:
    secret = values["LABOR_BOT_TELEGRAM_SECRET"]
    if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
        raise ConfigError("LABOR_BOT_TELEGRAM_SECRET may have 1 to 256 of A-Z, a-z, 0-9, _ and -.")
    if values["LABOR_BOT_TELEGRAM_TOKEN"] and not secret and not polling:
        raise ConfigError(
            "LABOR_BOT_TELEGRAM_TOKEN is set but LABOR_BOT_TELEGRAM_SECRET is not: set it, or"
            " LABOR_BOT_TELEGRAM_MODE=polling."
        )
    return secret


def _bot_api(url: str) -> str:
    if not url.endswith("/bot"):
        raise ConfigError("LABOR_BOT_TELEGRAM_API_BASE must end in /bot.")
    return url


def _translate_url(values: Mapping[str, str]) -> str:
    url = values["LABOR_BOT_TRANSLATE_URL"].rstrip("/")
    if url and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
        raise ConfigError("LABOR_BOT_TRANSLATE_URL must look like https://translate.example, without a query.")
    if values["LABOR_BOT_TRANSLATE_KEY"] and not url:
        raise ConfigError("LABOR_BOT_TRANSLATE_KEY is set but LABOR_BOT_TRANSLATE_URL is not: set it, or neither.")
    return url


def _oidc_issuer(values: Mapping[str, str]) -> str:
    """The issuer, to the letter: a slash at its end is part of it."""
    name = "LABOR_BOT_OIDC_ISSUER"
    issuer = values[name]
    _together(values, name, "LABOR_BOT_OIDC_CLIENT_ID", "LABOR_BOT_OIDC_CLIENT_SECRET")
    here = re.fullmatch(r"http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/[!-~]*)?", issuer)
    if issuer and (not (here or re.fullmatch(r"https://[!-~]+", issuer)) or re.search(r"[?#@\\]", issuer)):
        raise ConfigError(f"{name} must look like https://login.example/realm, without a query.")
    if issuer and not values["LABOR_BOT_PUBLIC_URL"]:
        raise ConfigError(f"{name} is set but LABOR_BOT_PUBLIC_URL is not: the provider sends browsers back there.")
    for part in ("LABOR_BOT_OIDC_CLIENT_ID", "LABOR_BOT_OIDC_CLIENT_SECRET"):
        if not re.fullmatch(r"[ -~]*", values[part]):
            raise ConfigError(f"{part} may have letters, digits and signs of ASCII only.")
    return issuer


def _service_hours(values: Mapping[str, str]) -> Week:
    name = "LABOR_BOT_SERVICE_HOURS"
    try:
        return week_of(values[name])
    except HoursError as error:
        raise ConfigError(f"{name} must look like {DEFAULT}; Sat 09:00-12:00, but {error}.") from None


def _level(text: str) -> str:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ConfigError(f"LABOR_BOT_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {text!r}.")
    return text.upper()


def _metrics_token(token: str) -> str:
    if token and not re.fullmatch(r"[!-~]{16,}", token):
        raise ConfigError("LABOR_BOT_METRICS_TOKEN must have 16 or more letters, digits or signs of ASCII, no blanks.")
    return token


def _store_keys(values: Mapping[str, str]) -> tuple[tuple[str, bytes], ...]:
    try:
        return keys.keys_of(values["LABOR_BOT_STORE_KEYS"])
    except keys.BadKeys as error:
        raise ConfigError(f"LABOR_BOT_STORE_KEYS must be a list of id:base64, but {error}.") from None


def _database(url: str, data_dir: Path) -> Path | str:
    """A file, or the URL of a PostgreSQL database."""
    if not url:
        return data_dir / "labor-bot.db"
    if url.startswith(("postgresql://", "postgres://")):
        return url
    scheme, _, rest = url.partition(":///")
    if scheme != "sqlite" or not rest:
        raise ConfigError("LABOR_BOT_DATABASE_URL must look like sqlite:///PATH or postgresql://USER@HOST/NAME.")
    return Path(rest)
