"""The endpoints of rich menus, their pictures, their aliases, and who sees which."""

from __future__ import annotations

import re
from typing import Any

from . import line_checks
from .line_account import RichMenu
from .line_http import Answer, Call, Gate, error
from .line_limits import RICH_MENU_IMAGE_BYTES, RICH_MENUS, Finding, check, join
from .line_messages_api import Rows

NO_MENU = error(404, "richmenu not found")
NO_ALIAS = error(404, "richmenu alias not found")
_USER = re.compile(r"U[0-9a-f]{32}")


class MenusApi:
    """Handlers; `rows` lists them."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._account = gate.account
        self._menus = gate.account.menus

    def rows(self) -> Rows:
        """The endpoints; fixed paths stand before those with an id."""
        menu, user, alias = "/v2/bot/richmenu", "/v2/bot/user", "/v2/bot/richmenu/alias"
        one = f"{menu}/{{menuId}}"
        return [
            ("POST", menu, "rich menu create", self._create, "RichMenuIdResponse"),
            ("POST", f"{menu}/validate", "rich menu validate", self._validate, ""),
            ("GET", f"{menu}/list", "rich menu list", self._list, "RichMenuListResponse"),
            ("POST", f"{menu}/bulk/link", "rich menu bulk link", self._bulk_link, ""),
            ("POST", f"{menu}/bulk/unlink", "rich menu bulk unlink", self._bulk_unlink, ""),
            ("POST", alias, "alias create", self._create_alias, ""),
            ("GET", f"{alias}/list", "alias list", self._aliases, "RichMenuAliasListResponse"),
            ("GET", f"{alias}/{{alias}}", "alias get", self._alias, "RichMenuAliasResponse"),
            ("POST", f"{alias}/{{alias}}", "alias update", self._update_alias, ""),
            ("DELETE", f"{alias}/{{alias}}", "alias delete", self._delete_alias, ""),
            ("GET", one, "rich menu get", self._get, "RichMenuResponse"),
            ("DELETE", one, "rich menu delete", self._delete, ""),
            ("POST", f"{one}/content", "rich menu image set", self._set_image, ""),
            ("GET", f"{one}/content", "rich menu image get", self._image, ""),
            ("GET", f"{user}/all/richmenu", "default get", self._default, "RichMenuIdResponse"),
            ("DELETE", f"{user}/all/richmenu", "default cancel", self._cancel_default, ""),
            ("POST", f"{user}/all/richmenu/{{menuId}}", "default set", self._set_default, ""),
            ("GET", f"{user}/{{userId}}/richmenu", "link get", self._link_of, "RichMenuIdResponse"),
            ("DELETE", f"{user}/{{userId}}/richmenu", "unlink", self._unlink, ""),
            ("POST", f"{user}/{{userId}}/richmenu/{{menuId}}", "link", self._link, ""),
        ]

    def _create(self, call: Call) -> Answer:
        if refused := self._gate.checked(call, line_checks.rich_menu, "RichMenuRequest"):
            return refused
        if len(self._menus.known) >= RICH_MENUS:
            return self._gate.refuse(call, [Finding("", f"an account has at most {RICH_MENUS} rich menus")])
        menu = RichMenu(f"richmenu-{self._account.number():032x}", call.document)
        self._menus.known[menu.id] = menu
        return Answer(document={"richMenuId": menu.id})

    def _validate(self, call: Call) -> Answer:
        return self._gate.checked(call, line_checks.rich_menu, "RichMenuRequest") or Answer()

    def _list(self, call: Call) -> Answer:
        return Answer(document={"richmenus": [_shown(menu) for menu in self._menus.known.values()]})

    def _get(self, call: Call) -> Answer:
        menu = self._menus.known.get(call.params["menuId"])
        return Answer(document=_shown(menu)) if menu else NO_MENU

    def _delete(self, call: Call) -> Answer:
        if call.params["menuId"] not in self._menus.known:
            return NO_MENU
        self._menus.remove(call.params["menuId"])
        return Answer()

    def _set_image(self, call: Call) -> Answer:
        menu = self._menus.known.get(call.params["menuId"])
        if menu is None:
            return NO_MENU
        media_type = call.headers.get("content-type", "")
        if media_type not in ("image/png", "image/jpeg"):
            return self._wrong(call, 415, "Unsupported media type")
        if menu.image:
            return self._wrong(call, 400, "An image has already been uploaded to the richmenu")
        if len(call.body) > RICH_MENU_IMAGE_BYTES:
            return self._wrong(call, 413, "The image is over 1 MB")
        size = (menu.document["size"]["width"], menu.document["size"]["height"])
        if image_size(call.body, media_type) != size:
            return self._wrong(call, 400, f"The image must be {media_type} of {size[0]} x {size[1]} pixels")
        menu.image, menu.media_type = call.body, media_type
        return Answer()

    def _image(self, call: Call) -> Answer:
        menu = self._menus.known.get(call.params["menuId"])
        return Answer(raw=menu.image, media_type=menu.media_type) if menu and menu.image else NO_MENU

    def _wrong(self, call: Call, status: int, message: str) -> Answer:
        return self._gate.refuse(call, [Finding("", message)], error(status, message))

    def _default(self, call: Call) -> Answer:
        default = self._menus.default
        return Answer(document={"richMenuId": default}) if default else error(404, "no default richmenu")

    def _cancel_default(self, call: Call) -> Answer:
        self._menus.default = None
        return Answer()

    def _set_default(self, call: Call) -> Answer:
        if refused := self._not_ready(call, call.params["menuId"]):
            return refused
        self._menus.default = call.params["menuId"]
        return Answer()

    def _link_of(self, call: Call) -> Answer:
        linked = self._menus.of_users.get(call.params["userId"])
        return Answer(document={"richMenuId": linked}) if linked else error(404, "the user has no richmenu")

    def _link(self, call: Call) -> Answer:
        user = call.params["userId"]
        if user not in self._account.people:
            return self._wrong(call, 400, "The value for the 'userId' parameter is invalid")
        if refused := self._not_ready(call, call.params["menuId"]):
            return refused
        self._menus.of_users[user] = call.params["menuId"]
        return Answer()

    def _unlink(self, call: Call) -> Answer:
        self._menus.of_users.pop(call.params["userId"], None)
        return Answer()

    def _not_ready(self, call: Call, menu_id: str) -> Answer | None:
        menu = self._menus.known.get(menu_id)
        if menu is None:
            return NO_MENU
        if not menu.image:
            return self._wrong(call, 400, "must upload richmenu image before applying it to user")
        return None

    def _bulk_link(self, call: Call) -> Answer:
        if refused := self._gate.checked(call, _bulk, "RichMenuBulkLinkRequest"):
            return refused
        if refused := self._not_ready(call, call.document.get("richMenuId", "")):
            return refused
        for user in call.document["userIds"]:
            self._menus.of_users[user] = call.document["richMenuId"]
        return Answer(202)

    def _bulk_unlink(self, call: Call) -> Answer:
        if refused := self._gate.checked(call, _bulk, "RichMenuBulkUnlinkRequest"):
            return refused
        for user in call.document["userIds"]:
            self._menus.of_users.pop(user, None)
        return Answer(202)

    def _create_alias(self, call: Call) -> Answer:
        if refused := self._gate.checked(call, line_checks.alias, "CreateRichMenuAliasRequest"):
            return refused
        name, menu = call.document["richMenuAliasId"], call.document["richMenuId"]
        if name in self._menus.aliases:
            return self._wrong(call, 400, "conflict richmenu alias id")
        return self._point(call, name, menu)

    def _update_alias(self, call: Call) -> Answer:
        name = call.params["alias"]
        if name not in self._menus.aliases:
            return NO_ALIAS
        if refused := self._gate.checked(call, lambda document: [], "UpdateRichMenuAliasRequest"):
            return refused
        return self._point(call, name, str(call.document.get("richMenuId", "")))

    def _point(self, call: Call, name: str, menu: str) -> Answer:
        if menu not in self._menus.known or not self._menus.known[menu].image:
            return self._wrong(call, 400, "richmenu not found, or without an image")
        self._menus.aliases[name] = menu
        return Answer()

    def _aliases(self, call: Call) -> Answer:
        return Answer(document={"aliases": [_alias(*each) for each in self._menus.aliases.items()]})

    def _alias(self, call: Call) -> Answer:
        name = call.params["alias"]
        return Answer(document=_alias(name, self._menus.aliases[name])) if name in self._menus.aliases else NO_ALIAS

    def _delete_alias(self, call: Call) -> Answer:
        return Answer() if self._menus.aliases.pop(call.params["alias"], None) else NO_ALIAS


def _shown(menu: RichMenu) -> dict[str, Any]:
    return {"richMenuId": menu.id, **menu.document}


def _alias(name: str, menu: str) -> dict[str, str]:
    return {"richMenuAliasId": name, "richMenuId": menu}


def _bulk(document: Any) -> line_checks.Findings:
    yield from check("bulk", document, "")
    users = document.get("userIds")
    for index, user in enumerate(users if isinstance(users, list) else ()):
        if not isinstance(user, str) or not _USER.fullmatch(user):
            yield Finding(join("", f"userIds[{index}]"), "must be the id of a user")


def image_size(body: bytes, media_type: str) -> tuple[int, int] | None:
    """Width and height of a PNG or JPEG; None when it is none."""
    if media_type == "image/png":
        fits = body[:8] == b"\x89PNG\r\n\x1a\n" and body[12:16] == b"IHDR"
        return (int.from_bytes(body[16:20]), int.from_bytes(body[20:24])) if fits else None
    at = 2 if body[:2] == b"\xff\xd8" else len(body)
    while at + 9 <= len(body) and body[at] == 0xFF:
        if 0xC0 <= body[at + 1] <= 0xCF and body[at + 1] not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(body[at + 7 : at + 9]), int.from_bytes(body[at + 5 : at + 7])
        at += 2 + int.from_bytes(body[at + 2 : at + 4])
    return None
