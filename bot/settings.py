"""The settings that an operator may set: names, defaults, meanings."""

from __future__ import annotations

from dataclasses import dataclass

from bot import keys
from bot.hours import DEFAULT


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table in docs/operations.md."""

    name: str
    default: str
    meaning: str
    secret: bool = False


TABLE = (
    Setting("LABOR_BOT_HOST", "127.0.0.1", "Address the server listens on."),
    Setting("LABOR_BOT_PORT", "8000", "Port the server listens on."),
    Setting("LABOR_BOT_DATA_DIR", "var", "Folder for the database and the installation's own key."),
    Setting(
        "LABOR_BOT_DATABASE_URL",
        "",
        "`postgresql://USER@HOST/NAME` for several servers, or `sqlite:///PATH`; empty: `labor-bot.db` in the data"
        " folder.",
        secret=True,
    ),
    Setting("LABOR_BOT_STORE_KEYS", "", keys.MEANING, secret=True),
    Setting(
        "LABOR_BOT_KNOWLEDGE_DIR", "", "Folder with an installation's own dated facts and newer plans; empty: none."
    ),
    Setting(
        "LABOR_BOT_PUBLIC_URL", "", "Where people and platforms reach this server; cookies are Secure when it is https."
    ),
    Setting("LABOR_BOT_TRUSTED_PROXIES", "127.0.0.1", "Comma list of proxies whose X-Forwarded-For is believed."),
    Setting("LABOR_BOT_EXIT_URL", "https://www.cwa.gov.tw/", "Where the quick exit leads: a harmless public page."),
    Setting(
        "LABOR_BOT_HOOK_SECRET",
        "",
        "Key of the generic webhook's signatures; the hook is on when it is set.",
        secret=True,
    ),
    Setting("LABOR_BOT_HOOK_REPLY_URL", "", "Where the generic webhook's answers are posted."),
    Setting(
        "LABOR_BOT_LINE_CHANNEL_SECRET",
        "",
        "Channel secret of the LINE official account; LINE is on when it and the token are set.",
        secret=True,
    ),
    Setting("LABOR_BOT_LINE_CHANNEL_TOKEN", "", "Channel access token of the LINE official account.", secret=True),
    Setting("LABOR_BOT_LINE_API_BASE", "https://api.line.me", "Where LINE's Messaging API is."),
    Setting("LABOR_BOT_TELEGRAM_TOKEN", "", "Token of the Telegram bot; Telegram is on when it is set.", secret=True),
    Setting(
        "LABOR_BOT_TELEGRAM_SECRET",
        "",
        "What Telegram sends along with each webhook call: 1 to 256 of A-Z, a-z, 0-9, _ and -. Not needed for polling.",
        secret=True,
    ),
    Setting(
        "LABOR_BOT_TELEGRAM_API_BASE",
        "https://api.telegram.org/bot",
        "Where the Bot API is, ending in /bot; files are at the same place under /file/bot.",
    ),
    Setting("LABOR_BOT_TELEGRAM_MODE", "webhook", "`webhook`, or `polling` where Telegram cannot reach this server."),
    Setting(
        "LABOR_BOT_STAFF_TELEGRAM_TOKEN",
        "",
        "Token of a second Telegram bot that tells a staff group of new cases; empty: nobody is told.",
        secret=True,
    ),
    Setting("LABOR_BOT_STAFF_TELEGRAM_CHAT", "", "Id of that staff group."),
    Setting(
        "LABOR_BOT_SERVICE_HOURS",
        DEFAULT,
        "When the desk is open, Taipei time; several spans a day, other days after `;`. Public holidays are closed.",
    ),
    Setting(
        "LABOR_BOT_HOLD_MINUTES",
        "30",
        "A held case without a caseworker's answer returns to the queue after this, counted in service hours.",
    ),
    Setting(
        "LABOR_BOT_FIRST_ANSWER_MINUTES",
        "60",
        "A case without a first answer after this, counted in service hours, is marked late on the desk.",
    ),
    Setting(
        "LABOR_BOT_TRANSLATE_URL",
        "",
        "Where a LibreTranslate of the installation's own is; empty: the desk offers no machine translation.",
    ),
    Setting("LABOR_BOT_TRANSLATE_KEY", "", "Its API key, if it wants one.", secret=True),
    Setting("LABOR_BOT_KEEP_CHAT_DAYS", "90", "What was said goes this long after the conversation was last used."),
    Setting(
        "LABOR_BOT_KEEP_SPECIAL_DAYS", "7", "Told facts of a special kind, such as a disability, go this long after."
    ),
    Setting("LABOR_BOT_KEEP_CASE_DAYS", "365", "A case and a privacy request go this long after they were closed."),
    Setting("LABOR_BOT_KEEP_UNDELIVERED_DAYS", "30", "What could not be delivered or read is tried no more and goes."),
    Setting("LABOR_BOT_KEEP_MASKED_DAYS", "7", "Numbers that were masked go this long after the case was closed."),
    Setting("LABOR_BOT_KEEP_HASH_DAYS", "90", "Hashes of events, which make a repetition harmless, go."),
    Setting("LABOR_BOT_MESSAGES_PER_MINUTE", "30", "Messages a minute one address may send in the web chat."),
    Setting("LABOR_BOT_MESSAGES_PER_MINUTE_IP", "240", "Messages a minute one IP address may send in the web chat."),
    Setting(
        "LABOR_BOT_BURST",
        "10",
        "Messages one person may send at once, on any channel; more wait until those of others are taken.",
    ),
    Setting(
        "LABOR_BOT_MESSAGES_PER_MINUTE_CHANNEL",
        "6000",
        "Messages a minute on one channel; more wait until those of others are taken.",
    ),
    Setting(
        "LABOR_BOT_MESSAGES_PER_MINUTE_ALL",
        "12000",
        "Messages a minute in all; more wait until those of others are taken.",
    ),
    Setting(
        "LABOR_BOT_SATURATED_SECONDS",
        "20",
        "People are told that it takes longer when the queue is longer than what is answered in so long.",
    ),
    Setting("LABOR_BOT_REQUEST_SECONDS", "20", "A request that has not arrived whole after so long is cut."),
    Setting(
        "LABOR_BOT_ENCODER",
        "auto",
        "`auto`: unclear messages are read a second time where the encoder is installed; `off`: never.",
    ),
    Setting(
        "LABOR_BOT_STAFF_TOTP",
        "optional",
        "`required`: every account must set up a code from an authenticator before anything else; or `optional`.",
    ),
    Setting(
        "LABOR_BOT_OIDC_ISSUER",
        "",
        "Issuer of an OpenID Connect provider that staff may log in with, exactly as it writes itself; empty: off.",
    ),
    Setting("LABOR_BOT_OIDC_CLIENT_ID", "", "What the provider calls this server."),
    Setting("LABOR_BOT_OIDC_CLIENT_SECRET", "", "The secret that it gave for that.", secret=True),
    Setting("LABOR_BOT_OIDC_NAME", "SSO", "What staff call the provider: it stands on the button."),
    Setting("LABOR_BOT_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR. Logs never hold content."),
    Setting("LABOR_BOT_LOG_FORMAT", "text", "`text`, or `json`: one object a line."),
    Setting(
        "LABOR_BOT_METRICS_TOKEN",
        "",
        "Bearer token, 16 characters or more, that `/metrics` asks for; empty: it answers on this machine only.",
        secret=True,
    ),
    Setting(
        "LABOR_BOT_NOTICE_SECONDS",
        "1",
        "When told to end, the server takes requests for so long while `/readyz` turns balancers away.",
    ),
    Setting("LABOR_BOT_DRAIN_SECONDS", "5", "Then what runs, turns and deliveries, may end within so long."),
    Setting(
        "LABOR_BOT_BACKUP_DIR",
        "",
        "Folder that backups are put into; `labor-bot doctor` looks how old the newest is.",
    ),
)
