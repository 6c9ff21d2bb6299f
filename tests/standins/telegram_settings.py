"""What the bot says about itself: commands, descriptions, menu button, per language and scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .telegram_html import link_fault
from .telegram_limits import breach, check_command, check_language, check_scope, hold
from .telegram_request import Params
from .telegram_world import World

Json = dict[str, Any]


@dataclass
class SettingMethods:
    """The methods that set and give settings."""

    world: World
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    menus: dict[int, Json] = field(default_factory=dict)

    def table(self) -> Mapping[str, Callable[[Params], Any]]:
        """Method names as the Bot API spells them."""
        return {
            "getMe": self.get_me,
            "setMyCommands": self.set_commands,
            "getMyCommands": self.get_commands,
            "deleteMyCommands": self.delete_commands,
            "setMyName": lambda params: self.set_text("name", params),
            "getMyName": lambda params: self.get_text("name", params),
            "setMyDescription": lambda params: self.set_text("description", params),
            "getMyDescription": lambda params: self.get_text("description", params),
            "setMyShortDescription": lambda params: self.set_text("short_description", params),
            "getMyShortDescription": lambda params: self.get_text("short_description", params),
            "setChatMenuButton": self.set_menu,
            "getChatMenuButton": self.get_menu,
        }

    def get_me(self, params: Params) -> Json:
        """The bot as it sees itself."""
        extra = {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}
        return {**self.world.bot, **extra}

    def place(self, params: Params) -> tuple[str, str]:
        """Scope and language of a menu of commands."""
        scope = params.document("scope", dict) or {"type": "default"}
        check_scope(scope)
        language = params.text("language_code")
        check_language(language)
        if "chat_id" in scope:
            self.world.chat(int(scope["chat_id"]))
        return ":".join(str(scope[key]) for key in sorted(scope, reverse=True)), language

    def set_commands(self, params: Params) -> bool:
        """setMyCommands."""
        commands = params.document("commands", list)
        if commands is None:
            raise breach("parameter commands is missing")
        hold("commands", commands)
        for command in commands:
            check_command(command)
        self.commands[self.place(params)] = [
            {**command, "command": command["command"].removeprefix("/")} for command in commands
        ]
        return True

    def get_commands(self, params: Params) -> list[Json]:
        """getMyCommands: of exactly this scope and language, without a fallback."""
        return self.commands.get(self.place(params), [])

    def delete_commands(self, params: Params) -> bool:
        """deleteMyCommands."""
        self.commands.pop(self.place(params), None)
        return True

    def set_text(self, name: str, params: Params) -> bool:
        """Name, description or short description in a language; empty takes it away."""
        check_language(params.text("language_code"))
        hold(name, params.text(name))
        self.texts[name, params.text("language_code")] = params.text(name)
        return True

    def get_text(self, name: str, params: Params) -> Json:
        """The text of a language, else the one for everybody."""
        check_language(params.text("language_code"))
        text = self.texts.get((name, params.text("language_code")), "")
        return {name: text or self.texts.get((name, ""), "")}

    def set_menu(self, params: Params) -> bool:
        """setChatMenuButton, for one private chat or for all."""
        button = params.document("menu_button", dict) or {"type": "default"}
        if button.get("type") not in ("default", "commands", "web_app"):
            raise breach("can't parse menu button: type is unknown")
        if button["type"] == "web_app":
            url = str((button.get("web_app") or {}).get("url", ""))
            if not button.get("text"):
                raise breach("BUTTON_TEXT_EMPTY")
            if link_fault(url) or not url.startswith("https://"):
                raise breach(f"menu button URL '{url}' is invalid: Only HTTPS links are allowed")
        self.menus[self.private(params)] = button
        return True

    def get_menu(self, params: Params) -> Json:
        """getChatMenuButton: the chat's own, else the one for all."""
        return self.menus.get(self.private(params)) or self.menus.get(0, {"type": "commands"})

    def private(self, params: Params) -> int:
        """The private chat that is meant, 0 for all."""
        chat = params.integer("chat_id")
        if chat and not self.world.chat(chat).private:
            raise breach("chat_id must be of a private chat")
        return chat
