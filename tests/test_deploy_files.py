"""The files of deploy/ against the program and each other: settings, secrets, addresses, paths, times, rights."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploying import DEPLOY, LABOR_BOT, ROOT, replaced

from bot.cli.serving import GRACE_SECONDS
from bot.config import TABLE, load

SECRETS = {setting.name for setting in TABLE if setting.secret}
KNOWN = {setting.name for setting in TABLE} | {f"{name}_FILE" for name in SECRETS}
UNIT = (DEPLOY / "systemd" / "labor-bot.service").read_text("utf-8")
CREDENTIALS = (DEPLOY / "systemd" / "secrets.conf").read_text("utf-8")
NGINX_CONF = (DEPLOY / "nginx.conf").read_text("utf-8")
CONTAINERFILE = (DEPLOY / "Containerfile").read_text("utf-8")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """compose.yaml with its anchors followed."""
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8")))


def test_every_setting_that_is_named_exists() -> None:
    for path in sorted(DEPLOY.rglob("*")):
        if path.is_file():
            named = set(re.findall(r"LABOR_BOT_[A-Z_]+", path.read_text("utf-8")))
            assert named <= KNOWN, path.name


# -- compose


def test_servers_are_many_enough_and_alike(compose: dict[str, Any]) -> None:
    one, two = (compose["services"][name] for name in ("web1", "web2"))
    assert {**one, "networks": None} == {**two, "networks": None}


def test_the_servers_believe_the_proxy_and_nobody_else(compose: dict[str, Any]) -> None:
    address = compose["services"]["proxy"]["networks"]["inside"]["ipv4_address"]
    settings = load(
        {"LABOR_BOT_TRUSTED_PROXIES": compose["services"]["web1"]["environment"]["LABOR_BOT_TRUSTED_PROXIES"]}
    )
    assert settings.trusted_proxies == (address,)


def test_the_proxy_knows_where_the_servers_are(compose: dict[str, Any]) -> None:
    there = {compose["services"][name]["networks"]["inside"]["ipv4_address"] for name in ("web1", "web2")}
    assert set(re.findall(r"server ([\d.]+):8000", NGINX_CONF)) == there
    subnet = compose["networks"]["inside"]["ipam"]["config"][0]["subnet"]
    assert all(address.startswith(subnet.removesuffix("0/24")) for address in there)


def test_everybody_hears_the_same_name(compose: dict[str, Any]) -> None:
    url = compose["services"]["web1"]["environment"]["LABOR_BOT_PUBLIC_URL"]
    assert url.removeprefix("https://") in re.findall(r"server_name ([\w.]+);", NGINX_CONF)


def test_secrets_are_declared_files_and_each_service_has_only_its_own(compose: dict[str, Any]) -> None:
    declared = compose["secrets"]
    for name, service in compose["services"].items():
        own = set(service.get("secrets", []))
        assert own <= declared.keys(), name
        assert set(re.findall(r"/run/secrets/([\w.]+)", str(service))) <= own | {"line.secret", "line.token"}, name
    assert compose["services"]["web1"]["secrets"] == ["program.url"]
    text = (DEPLOY / "postgresql" / "first.sh").read_text("utf-8")
    assert set(re.findall(r"/run/secrets/([\w.]+)", text)) <= set(compose["services"]["postgres"]["secrets"])
    for secret in declared.values():
        assert Path(secret["file"]).parent.name == "secrets"
    assert (DEPLOY / "secrets" / ".gitignore").read_text().startswith("*\n")


def test_no_service_can_gain_rights_or_write_to_itself(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        if name != "postgres":  # its image changes accounts by itself
            assert service["cap_drop"] == ["ALL"], name
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["proxy"]


def test_files_that_compose_mounts_are_there(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or (DEPLOY / source).exists(), source
    assert (DEPLOY / "postgresql" / "first.sh").stat().st_mode & 0o111


def test_images_are_of_a_version(compose: dict[str, Any]) -> None:
    images = {service["image"] for service in compose["services"].values()} - {"labor-bot"}
    assert all(re.fullmatch(r"[a-z]+:\d[\w.-]*", image) for image in images), images


# -- stopping: who sends SIGTERM waits longer than the server needs


def test_everybody_waits_for_the_server_to_end(compose: dict[str, Any]) -> None:
    settings = load({})
    needed = settings.notice_seconds + GRACE_SECONDS + settings.drain_seconds
    unit = re.search(r"TimeoutStopSec=(\d+)", UNIT)
    assert unit
    assert int(unit[1]) > needed + 5
    assert int(compose["services"]["web1"]["stop_grace_period"].removesuffix("s")) > needed + 5


# -- the image


def test_the_image_is_made_of_what_is_let_in() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(.+)$", CONTAINERFILE, re.MULTILINE) for word in line.split()[:-1]
    }
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)


def test_the_image_installs_by_hash_and_runs_as_nobody_in_particular() -> None:
    assert "--require-hashes -r requirements.lock" in CONTAINERFILE
    last = CONTAINERFILE[CONTAINERFILE.rindex("FROM ") :]
    assert re.search(r"^USER \d{4,}:\d{4,}$", last, re.MULTILINE)
    assert "/readyz" in last[last.index("HEALTHCHECK") :]
    assert "gcc" not in CONTAINERFILE


# -- systemd


def test_every_secret_can_be_a_credential() -> None:
    given = dict(re.findall(r"^#?Environment=(LABOR_BOT_\w+)=%d/([\w.]+)$", CREDENTIALS, re.MULTILINE))
    loaded = dict(re.findall(r"^#?LoadCredential=([\w.]+):/etc/labor-bot/([\w.]+)$", CREDENTIALS, re.MULTILINE))
    assert given.keys() == {f"{name}_FILE" for name in SECRETS}
    assert set(given.values()) == loaded.keys() == set(loaded.values())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
@pytest.mark.parametrize("with_secrets", [False, True])
def test_the_unit_is_sound_and_shut_tight(tmp_path: Path, with_secrets: bool) -> None:
    unit = tmp_path / "labor-bot.service"
    unit.write_text(
        replaced(UNIT, ("/opt/labor-bot/.venv/bin/labor-bot", str(LABOR_BOT)), ("/opt/labor-bot", str(ROOT)))
    )
    if with_secrets:
        drop_in = tmp_path / "labor-bot.service.d"
        drop_in.mkdir()
        lines = [line.removeprefix("#") for line in CREDENTIALS.splitlines() if re.match(r"#?[\[LE]\S", line)]
        (drop_in / "secrets.conf").write_text("\n".join(lines) + "\n")
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True)
    assert verified.returncode == 0, verified.stderr
    assert "labor-bot" not in verified.stderr
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(unit)]
    judged = subprocess.run(command, capture_output=True, text=True)
    assert judged.returncode == 0, judged.stdout[-1500:]
