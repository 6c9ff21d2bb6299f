"""Every route that names a thing, each thing, each role: what is not allowed is refused, changes and shows nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from desk_world import World, build, secrets_in
from ruamel.yaml import YAML
from site_app import Site, running
from standins.serving import ThreadServer
from starlette.routing import Route
from test_desk_translation import Libre, url
from test_rights import TABLE, Answer, ask, refused

from bot.desk.rights import Right, Role, may
from bot.pipeline.resources import Resources

OBJECTS = YAML(typ="safe").load(Path(__file__).with_name("objects.yaml"))
GROUPS: dict[str, Any] = OBJECTS["groups"]
CITIZEN = "citizen"
NUMBER = re.compile(r"\d{1,18}")
FIELD = re.compile(
    r"""(?:form|query_params)(?:\.get\(|\[)"(\w+)"|"(\w+)" (?:not )?in (?:form|request\.query_params)\b"""
)
DRAFT = ("drafts",)


@pytest.fixture(scope="module")
def world(resources: Resources, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with (
        ThreadServer(Libre().app()) as translator,
        running(
            resources,
            tmp_path_factory.mktemp("objects"),
            LABOR_BOT_TRANSLATE_URL=url(translator),
            LABOR_BOT_MESSAGES_PER_MINUTE="100000",
            LABOR_BOT_MESSAGES_PER_MINUTE_IP="100000",
        ) as site,
    ):
        yield build(site)


# -- the table


def with_a_thing(site: Site) -> list[tuple[str, str]]:
    """(method, path) of every route with a parameter in its path, those for wrong methods left out."""
    return [
        (method, re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path))
        for route in site.app.routes
        if isinstance(route, Route) and "{" in route.path and route.name != "wrong_method"
        for method in sorted((route.methods or set()) - {"HEAD"})
    ]


def group_of(path: str) -> str:
    """The group of a route."""
    return next((group for group in GROUPS if path == group or path.startswith(f"{group}/")), "")


def rows_of(route: str) -> dict[str, Any]:
    """What must happen with each thing at a route."""
    path = route.split(" ")[1]
    group = GROUPS[group_of(path)]
    own = {name: cell for name, cell in group["routes"][route].items() if name != "form"}
    by_right = group.get("rights", {}).get(TABLE["routes"].get(route), {})
    return {**group["always"], **group.get("more", {}), **by_right, **own}


def cell_of(cell: Any, role: str) -> str:
    """The part of a cell that is for a role."""
    first, _, second = str(cell).partition(" | ")
    return second if second and may(role, Right.TAKE_OVER) else first


def seen(group: str, name: str, role: str) -> bool:
    """May that role look at the thing?"""
    return any(
        route.startswith("GET ") and cell_of(rows_of(route)[name], role) == "shown" for route in GROUPS[group]["routes"]
    )


def test_no_route_with_a_thing_in_its_path_is_left_out(world: World) -> None:
    listed = {route for group in GROUPS.values() for route in group["routes"]}
    found = {f"{method} {path}" for method, path in with_a_thing(world.site)}
    assert found - listed == set(), "give each of these its rows in tests/objects.yaml"
    assert listed - found == set(), "these routes are gone"


def test_every_route_says_what_happens_with_every_thing_of_its_kind(world: World) -> None:
    for group in GROUPS.values():
        things = set().union(*(rows_of(route) for route in group["routes"]))
        for route in group["routes"]:
            assert things - rows_of(route).keys() == set(), f"{route} says nothing of these"


def test_no_field_that_names_a_thing_is_left_out() -> None:
    for room, plain in OBJECTS["plain"].items():
        found = {
            first or second
            for path in sorted((ROOT / room).glob("*.py"))
            for first, second in FIELD.findall(path.read_text("utf-8"))
        }
        unknown = found - set(plain) - OBJECTS["fields"].keys()
        assert unknown == set(), "does it name a thing? then it needs rows in tests/objects.yaml, else list it as plain"


# -- asking


def filled(world: World, role: str, form: Mapping[str, str], thing: str = "") -> dict[str, str]:
    """A form with what the person would write for each `$name`."""

    def named(found: re.Match[str]) -> str:
        name = found[1]
        if name == "fence" and thing:
            return world.fence(thing)
        return THERE[name](world, thing) if name in THERE else world.things[role][name]

    return {name: re.sub(r"\$(\w+)", named, value) for name, value in form.items()}


def callback(world: World, case: str) -> str:
    """A wish to be phoned of a case."""
    if not NUMBER.fullmatch(case):
        return "0"
    sql = "SELECT max(b.id) FROM callbacks b JOIN cases c ON c.conversation_id = b.conversation_id WHERE c.id = "
    return str(world.site.rows(sql + case)[0][0] or 0)


def first_line(world: World, case: str) -> str:
    """The number of the first line that the citizen of a case wrote."""
    if not NUMBER.fullmatch(case):
        return "1"
    sql = "SELECT min(m.seq) FROM messages m JOIN cases c ON c.conversation_id = m.conversation_id"
    return str(world.site.rows(f"{sql} WHERE m.author = 'citizen' AND c.id = {case}")[0][0] or 1)


def version(world: World, key: str) -> str:
    """The newest version of a sentence of the phrasebook."""
    return str(dict(world.site.rows("SELECT phrase, max(version) FROM phrases GROUP BY phrase")).get(key, 0))


THERE = {"callback_there": callback, "seq_there": first_line, "version": version}  # what is found at the thing itself


def fault(answer: Answer, cell: str, method: str, sees: bool = True) -> str:
    """What is wrong with an answer to somebody who has the right for the route; empty when nothing is."""
    passed = answer.status in (200, 204) or (answer.status == 303 and "problem=" not in answer.location)
    if cell in ("done", "same", "added"):
        right = passed
    elif cell == "said":
        right = answer.status == 303 and "problem=" in answer.location
    else:
        right = str(answer.status) == {"shown": "200", "kept": "409"}.get(cell, cell)
    if not right:
        return f"{answer.status} {answer.location}".strip()
    return "" if sees or not secrets_in(answer.text) else f"{answer.status}, and shows what somebody told"


def moved(world: World, cell: str, method: str) -> str:
    """What is wrong with what became of the world."""
    if cell == "added":
        return "" if world.still_there() else "something is gone"
    changed = world.changed(but=DRAFT if cell == "kept" or (cell == "shown" and method == "POST") else ())
    if cell == "done":
        return "" if changed else "nothing is different"
    return f"changed {changed}" if changed else ""


def asked(world: World, role: str, route: str, cell: str, form: Mapping[str, str], sees: bool = True) -> str:
    """What is wrong with one cell; the world is as before afterwards."""
    method, path = route.split(" ")
    answer = world.ask(role, method, path, form)
    wrong = fault(answer, cell, method, sees)
    if not cell.isdecimal() or wrong:
        world.settle()
        wrong = wrong or moved(world, cell, method)
        if world.changed():
            world.put_back()
    return wrong


# The guard of cases is tried quickly by three roles, and in full by all.
LONG = ("/desk/cases/{id}", (Role.ADMIN, Role.EDITOR, Role.PRIVACY_OFFICER))


@pytest.mark.parametrize(
    ("group", "role"),
    [
        pytest.param(group, role, marks=[pytest.mark.slow] if group == LONG[0] and role in LONG[1] else [])
        for group in GROUPS
        if group.startswith("/desk")
        for role in Role
    ],
)
def test_things_at_the_desk(world: World, group: str, role: Role) -> None:
    wrong = []
    for route in GROUPS[group]["routes"]:
        right = Right(TABLE["routes"][route])
        for name, cell in rows_of(route).items():
            thing = "cases" if name == "report" else world.things[role][name]
            address = route.replace("{id}", thing).replace("{key}", thing).replace("{name}", thing)
            form = filled(world, role, GROUPS[group]["routes"][route].get("form", {}), thing)
            if may(role, right):
                found = asked(world, role, address, cell_of(cell, role), form, seen(group, name, role))
            else:
                answer = world.ask(role, *address.split(" "), form)
                found = "" if refused(world.site, answer) or answer.status == 404 else f"not refused ({answer.status})"
            wrong += [f"{route} of {name}: {found}"] if found else []
        if changed := world.changed():
            wrong.append(f"{route}: what was refused changed {changed}")
            world.put_back()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("group", [group for group in GROUPS if not group.startswith("/desk")])
def test_links_of_citizens(world: World, group: str) -> None:
    wrong = []
    for route in GROUPS[group]["routes"]:
        for name, cell in rows_of(route).items():
            method, path = route.split(" ")
            path = path.replace("{token}", world.things[CITIZEN][name])
            answer = ask(world.site, method, path)
            world.settle()
            found = fault(answer, str(cell), method) or moved(world, str(cell), method)
            if "<b>pwn" in answer.text:
                found = "markup of an address is shown"
            wrong += [f"{route} of {name}: {found}"] if found else []
            if world.changed():
                world.put_back()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("field", OBJECTS["fields"])
def test_things_in_forms(world: World, field: str, role: Role) -> None:
    told = OBJECTS["fields"][field]
    route, wrong = told["route"], []
    at = world.things[role].get(told.get("at", ""), "")
    for value, cell in told["rows"].items():
        form = filled(
            world,
            role,
            {**told.get("form", {}), told.get("field", field): value},
            at if told.get("at") == "mine" else "",
        )
        address = route.replace("{id}", at)
        if may(role, Right(TABLE["routes"][route])):
            found = asked(world, role, address, cell_of(cell, role), form)
        else:
            answer = world.ask(role, *address.split(" "), form)
            found = "" if refused(world.site, answer) else f"not refused ({answer.status})"
        wrong += [f"{field}={value}: {found}"] if found else []
    assert not wrong, "\n".join(wrong)
    assert world.changed() == []


# -- what comes from elsewhere, and what only looks


FOREIGN = (
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://testserver.local.evil.example"},
    {"origin": "http://evil.example/testserver.local"},
    {"origin": "http://testserver.local:8080"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": "http://testserver.local"},
)
OUTSIDE = ("/webhook/", "/static")


def addresses(world: World, method: str, wrong: bool = False) -> list[str]:
    """Every address that takes a method, with things of the admin's in it. `wrong`: also where that is refused."""
    things = {**world.things[Role.ADMIN], **world.things[CITIZEN]}
    kinds = {"cases": "mine", "files": "file_mine", "privacy": "request", "people": "other", "phrases": "packaged"}
    kinds |= {"resume": "resume", "mydata": "copy"}
    found = []
    for route in world.site.app.routes:
        if not isinstance(route, Route) or route.path.startswith(OUTSIDE):
            continue
        if method in (route.methods or ()) and (wrong or route.name != "wrong_method"):
            parts = [part for part in route.path.split("/") if part in kinds]
            found.append(re.sub(r"\{[\w:]+\}", things[kinds[parts[0]]] if parts else "cases", route.path))
    return sorted(set(found))


@pytest.fixture(scope="module")
def visitor(world: World) -> dict[str, str]:
    """The cookie of somebody in the middle of a conversation."""
    citizen = world.site.browser()
    citizen.say("尋職津貼可以領多少")
    world.keep()
    return {"cookie": f"labor_chat={citizen.client.cookies['labor_chat']}"}


def test_nothing_is_posted_for_another_site(world: World, visitor: dict[str, str]) -> None:
    """An admin with the password just given, in a chat of their own: every form of every page."""
    token, wrong = world.people[Role.ADMIN].token, []
    posts = addresses(world, "POST")
    for path in posts:
        for headers in FOREIGN:
            answer = ask(
                world.site, "POST", path, token, {"text": "x", "why": "x", "reason": "x"}, {**headers, **visitor}
            )
            if answer.status != 403 or secrets_in(answer.text):
                wrong.append(f"{path} {headers}: {answer.status}")
        if changed := world.changed():
            wrong.append(f"{path} changed {changed}")
            world.put_back()
    assert not wrong, "\n".join(wrong)
    assert len(posts) > 50


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing(world: World, visitor: dict[str, str], method: str) -> None:
    """No address does anything when it is opened, be it one of a form: previews, prefetching and pictures open them."""
    wrong = []
    for path in addresses(world, "GET", wrong=True):
        for token in (world.people[Role.ADMIN].token, ""):
            ask(world.site, method, path, token, headers=visitor)
        if changed := world.changed():
            wrong.append(f"{method} {path} changed {changed}")
            world.put_back()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_other_methods_do_nothing(world: World, visitor: dict[str, str], method: str) -> None:
    for path in addresses(world, "GET", wrong=True):
        answer = ask(world.site, method, path, world.people[Role.ADMIN].token, {"text": "x"}, visitor)
        assert answer.status in (404, 405), f"{method} {path}"
    assert world.changed() == []
