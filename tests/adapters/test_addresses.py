"""This is TLS towards every machine but this one: what is refused, and which setting the refusal names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adapters.addresses import is_loopback, is_safe_url
from adapters.postgres.addresses import is_safe_database
from adapters.postgres.databases import prefect_address
from adapters.postgres.engine import open_engine
from flows.settings import load_settings
from trading.errors import InvalidSetting

ELSEWHERE = "db.example.org"
DATABASE = f"postgresql://me:geheim@{ELSEWHERE}:5432/maemae"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_this_machine_needs_no_tls(host: str) -> None:
    shown = f"[{host}]" if ":" in host else host
    assert is_loopback(host)
    assert is_safe_url(f"http://{shown}:1/x")
    assert is_safe_database(f"postgresql://me:geheim@{shown}:5432/maemae")


@pytest.mark.parametrize(
    "host",
    ["128.0.0.1", "126.255.255.255", "0.0.0.0", "192.168.0.2", "::2", "localhost.example.org", ""],  # noqa: S104 - tried
)
def test_every_other_machine_does(host: str) -> None:
    shown = f"[{host}]" if ":" in host else host
    assert not is_loopback(host)
    assert not is_safe_url(f"http://{shown}:1/x")


def test_only_http_and_https_are_ways_to_speak() -> None:
    assert is_safe_url("https://example.org")
    assert not is_safe_url("ftp://127.0.0.1/x")
    assert not is_safe_url("https:///x")
    assert not is_safe_url("127.0.0.1:4200")


@pytest.mark.parametrize("password", ["ge#im", "ge?im", "ge/im", "ge:im"])
def test_a_password_may_look_like_anything(password: str) -> None:
    assert is_safe_database(f"postgresql://me:{password}@127.0.0.1:5432/maemae")
    assert is_safe_database(f"postgresql://me:{password}@{ELSEWHERE}/maemae?sslmode=verify-full")
    assert not is_safe_database(f"postgresql://me:{password}@{ELSEWHERE}/maemae")


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_a_database_elsewhere_with_tls_may_be_used(mode: str) -> None:
    url = f"{DATABASE}?sslmode={mode}"
    assert is_safe_database(url)
    open_engine(url).dispose()
    assert prefect_address(url).endswith(f"?ssl={mode}")


@pytest.mark.parametrize(
    "url",
    [
        DATABASE,
        f"{DATABASE}?sslmode=prefer",
        f"{DATABASE}?sslmode=allow",
        f"{DATABASE}?sslmode=disable",
        f"{DATABASE}?sslmode=require",  # whoever stands in between is believed
        f"{DATABASE}?sslmode=verify-full&sslmode=disable",
        f"{DATABASE}?sslmode=",
        f"postgresql://127.0.0.1#@{ELSEWHERE}/maemae",
        f"postgresql://me:a?sslmode=verify-full@{ELSEWHERE}/maemae",
        f"postgresql://me@127.0.0.1/maemae?host={ELSEWHERE}",
        f"postgresql://me@/maemae?hostaddr=192.0.2.7&host={ELSEWHERE}",
        f"postgresql://me@/maemae?host=/tmp,{ELSEWHERE}",
        f"postgresql://me@/maemae?host=/tmp%3A5432,{ELSEWHERE}%3A5432",
        f"postgresql://me@localhost?x=@{ELSEWHERE}/maemae",
        "postgresql://me@127.0.0.1/maemae?conninfo=hostaddr%3D192.0.2.7",
        "postgresql://me@2130706433/maemae",
        "postgresql://me@0x7f000001/maemae",
        "postgresql://me@localhost.example.org/maemae",
        "postgresql://me@/maemae?service=far",
    ],
)
def test_a_database_elsewhere_without_it_is_refused_at_every_door(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for door in (open_engine, prefect_address):
        with pytest.raises(InvalidSetting) as caught:
            door(url)
        assert "geheim" not in str(caught.value)
    assert "MAEMAE_DATABASE_URL" in refusal(tmp_path, monkeypatch, "MAEMAE_DATABASE_URL", url)


@pytest.mark.parametrize(
    ("url", "variables"),
    [
        ("postgresql://me@127.0.0.1/maemae", {"PGHOSTADDR": "192.0.2.7"}),
        ("postgresql://me@/maemae", {"PGHOST": ELSEWHERE}),
        ("postgresql://me@/maemae", {"PGSERVICE": "far"}),
        (f"postgresql://me@{ELSEWHERE}/maemae", {"PGSSLMODE": "require"}),
    ],
)
def test_what_the_environment_adds_to_an_address_counts(
    url: str, variables: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = tmp_path / "services"
    services.write_text(f"[far]\nhost={ELSEWHERE}\n", encoding="utf-8")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert not is_safe_database(url)
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert is_safe_database(url)
    assert not is_safe_database(f"{url}?sslmode=prefer"), "what the address says itself comes first"


def test_several_hosts_before_the_path_are_no_address() -> None:
    with pytest.raises(InvalidSetting, match="an address such as"):
        open_engine(f"postgresql://me@127.0.0.1:5432,{ELSEWHERE}:5432/maemae")


def test_a_socket_file_is_this_machine() -> None:
    assert is_safe_database("postgresql://me@/maemae?host=/var/run/postgresql")
    assert is_safe_database("postgresql:///maemae")


def refusal(home: Path, patch: pytest.MonkeyPatch, name: str, value: str) -> str:
    for variable in [name for name in os.environ if name.startswith("MAEMAE_")]:
        patch.delenv(variable)
    patch.setenv("MAEMAE_HOME", str(home))
    patch.setenv(name, value)
    with pytest.raises(InvalidSetting) as caught:
        load_settings()
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAEMAE_DATABASE_URL", DATABASE),
        ("MAEMAE_SLACK__WEBHOOK_URL", f"http://hooks.{ELSEWHERE}/services/T/B/geheim"),
        ("MAEMAE_PREFECT_API_URL", f"http://{ELSEWHERE}:4200/api"),
        ("MAEMAE_SIMULATOR_URL", f"http://{ELSEWHERE}:29443"),
    ],
)
def test_each_setting_is_named(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = refusal(tmp_path, monkeypatch, name, value)
    assert words.startswith(f"{name}=")
    assert "geheim" not in words


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAEMAE_DATABASE_URL", f"{DATABASE}?sslmode=verify-full"),
        ("MAEMAE_SLACK__WEBHOOK_URL", "https://hooks.slack.com/services/T/B/geheim"),
        ("MAEMAE_PREFECT_API_URL", f"https://{ELSEWHERE}/api"),
        ("MAEMAE_PREFECT_API_URL", "http://127.0.0.1:4200/api"),
        ("MAEMAE_SIMULATOR_URL", "http://127.0.0.1:29443"),
    ],
)
def test_with_tls_or_here_each_may_be_used(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAEMAE_HOME", str(tmp_path))
    monkeypatch.setenv(name, value)
    load_settings()


@pytest.mark.parametrize("environment", ["real", "paper"])
def test_kis_is_spoken_to_with_tls_except_for_its_socket(
    environment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"ENVIRONMENT": environment, "APPKEY": "a", "APPSECRET": "s", "ACCOUNT": "12345678-01"}
    for name, value in keys.items():
        monkeypatch.setenv(f"MAEMAE_KIS__{name}", value)
    monkeypatch.setenv("MAEMAE_HOME", str(tmp_path))
    kis = load_settings().kis
    assert kis is not None
    assert kis.base_url.startswith("https://")
    assert kis.ws_url.startswith("ws://ops.koreainvestment.com:"), "KIS offers no other"
    for name, plain in (
        ("BASE_URL", kis.base_url.replace("https", "http")),
        ("WS_URL", "ws://192.0.2.7:21000"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(f"MAEMAE_KIS__{name}", plain)
            with pytest.raises(InvalidSetting, match=f"^MAEMAE_KIS__{name}="):
                load_settings()


def test_the_servers_own_address_may_be_used_without_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAEMAE_HOME", str(tmp_path))
    monkeypatch.setenv("MAEMAE_PREFECT_HOST", "0.0.0.0")  # noqa: S104 - as a server for others has it
    monkeypatch.setenv("MAEMAE_PREFECT_AUTH", "owner:long-enough-password")
    monkeypatch.setenv("MAEMAE_PREFECT_API_URL", "http://0.0.0.0:4200/api")
    load_settings()
    monkeypatch.setenv("MAEMAE_PREFECT_API_URL", "http://192.0.2.8:4200/api")
    with pytest.raises(InvalidSetting, match="MAEMAE_PREFECT_API_URL"):
        load_settings()


def test_another_machine_is_not_ours_because_we_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAEMAE_HOME", str(tmp_path))
    monkeypatch.setenv("MAEMAE_PREFECT_HOST", "192.0.2.7")
    monkeypatch.setenv("MAEMAE_PREFECT_AUTH", "owner:long-enough-password")
    monkeypatch.setenv("MAEMAE_PREFECT_API_URL", "http://192.0.2.7:4200/api")
    with pytest.raises(InvalidSetting, match="MAEMAE_PREFECT_API_URL"):
        load_settings()
