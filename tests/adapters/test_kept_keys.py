"""This is where keys come from when the environment has none: files that others cannot read, or a command."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from pathlib import Path

import pytest
from pydantic import SecretStr
from pyrage import x25519

from adapters.keys.commands import LARGEST, ask_command
from adapters.keys.identities import CREDENTIAL
from adapters.keys.safes import KeySafe
from adapters.keys.scopes import Keys, Scope, parse_keys
from deployments.state import Footprint
from flows.settings import Settings, load_settings
from tests.builders import ACCOUNT
from trading.errors import InvalidSetting

SECRET = "nobody-may-see-this"  # noqa: S105 - made up


def some_keys(environment: str = "paper", appkey: str = "kept-appkey") -> Keys:
    document = {"environment": environment, "appkey": appkey, "appsecret": SECRET}
    return Keys.model_validate({**document, "account": ACCOUNT, "hts_id": "me"})


def a_command(*lines: str) -> SecretStr:
    return SecretStr(shlex.join((sys.executable, "-c", "\n".join(lines))))


def printing(keys: Keys) -> SecretStr:
    return a_command(f"print({json.dumps(keys.document())!r})")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home for the paper channel, and nothing of ours in the environment."""
    for name in [name for name in os.environ if name.startswith("MAEMAE_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setenv("MAEMAE_HOME", str(tmp_path))
    monkeypatch.setenv("MAEMAE_CHANNEL", "paper")
    return tmp_path


def appkey_of(settings: Settings) -> str:
    return settings.broker.appkey.get_secret_value()


# Encrypted files


def test_what_was_kept_comes_back_and_no_file_is_open_to_others(tmp_path: Path) -> None:
    safe = KeySafe(tmp_path / "keys")
    safe.save(Scope.PAPER, some_keys())
    assert safe.load(Scope.PAPER) == some_keys()
    assert not safe.has(Scope.REAL)
    modes = {path.name: path.stat().st_mode & 0o777 for path in safe.folder.iterdir()}
    assert modes == {"identity": 0o600, "paper.age": 0o600}
    assert safe.folder.stat().st_mode & 0o777 == 0o700
    assert SECRET.encode() not in safe.file(Scope.PAPER).read_bytes()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_an_identity_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    safe = KeySafe(tmp_path)
    safe.save(Scope.PAPER, some_keys())
    (tmp_path / "identity").chmod(mode)
    with pytest.raises(InvalidSetting, match="0600"):
        safe.load(Scope.PAPER)


def test_another_identity_a_torn_file_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    safe = KeySafe(tmp_path)
    safe.save(Scope.PAPER, some_keys())
    content = safe.file(Scope.PAPER).read_bytes()
    with pytest.raises(InvalidSetting, match=r"real\.age"):
        safe.load(Scope.REAL)
    safe.file(Scope.PAPER).write_bytes(content[:-1])
    with pytest.raises(InvalidSetting, match=r"paper\.age"):
        safe.load(Scope.PAPER)
    safe.file(Scope.PAPER).write_bytes(content)
    (tmp_path / "identity").write_text(f"{x25519.Identity.generate()}\n", "utf-8")
    with pytest.raises(InvalidSetting, match=r"paper\.age"):
        safe.load(Scope.PAPER)
    (tmp_path / "identity").write_text("AGE-SECRET-KEY-1NOT\n", "utf-8")
    with pytest.raises(InvalidSetting, match="MAEMAE_KEYS__IDENTITY"):
        safe.load(Scope.PAPER)


def test_the_identity_of_systemd_comes_before_one_that_is_named_and_that_before_the_homes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, given = tmp_path / "named", tmp_path / "credentials"
    given.mkdir()
    for file in (named, given / CREDENTIAL):
        file.write_text(f"# made by age-keygen\n{x25519.Identity.generate()}\n", "utf-8")
        file.chmod(0o600)
    (given / CREDENTIAL).chmod(0o440)  # systemd guards its own
    keys = tmp_path / "keys"
    KeySafe(keys, identity=named).save(Scope.PAPER, some_keys())
    assert not (keys / "identity").exists()
    assert KeySafe(keys, identity=named).load(Scope.PAPER) == some_keys()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    with pytest.raises(InvalidSetting):
        KeySafe(keys, identity=named).load(Scope.PAPER)
    KeySafe(keys, identity=named).save(Scope.PAPER, some_keys())
    assert KeySafe(keys).load(Scope.PAPER) == some_keys()


def test_a_named_identity_that_is_missing_is_not_made_up(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="MAEMAE_KEYS__IDENTITY"):
        KeySafe(tmp_path / "keys", identity=tmp_path / "none").save(Scope.PAPER, some_keys())


@pytest.mark.parametrize(("scope", "environment"), [(Scope.REAL, "paper"), (Scope.PAPER, "real")])
def test_keys_of_one_kind_of_money_do_not_pass_for_the_other(
    scope: Scope, environment: str
) -> None:
    with pytest.raises(InvalidSetting, match=f"keys of the {scope} environment"):
        parse_keys(some_keys(environment).document(), scope, origin="here")
    looking_on = parse_keys(some_keys(environment).document(), Scope.READ, origin="here")
    assert looking_on == some_keys(environment)


def test_no_text_of_keys_shows_them() -> None:
    keys = some_keys()
    with pytest.raises(InvalidSetting) as caught:
        parse_keys({**keys.document(), "account": SECRET}, Scope.PAPER, origin="here")
    assert SECRET not in f"{keys!r} {keys} {keys.model_dump_json()} {caught.value} {caught.value!r}"


# The owner's command


def test_a_command_is_told_the_scope_and_its_json_is_read() -> None:
    keys = some_keys()
    script = f"import sys; d = {keys.document()!r}; d['hts_id'] = sys.argv[1]; import json; print(json.dumps(d))"
    command = SecretStr(shlex.join((sys.executable, "-c", script, "for-{scope}")))
    assert ask_command(command, Scope.PAPER).hts_id == "for-paper"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (a_command("import sys", f"print('{SECRET}', file=sys.stderr)", "sys.exit(3)"), "not 3"),
        (a_command(f"print('{SECRET}')"), "JSON"),
        (a_command(f"print(['{SECRET}'])"), "JSON"),
        (a_command("print('{}')"), "Field required"),
        (a_command(f"print('{{' + ' ' * {LARGEST} + '}}')"), "JSON"),
        (SecretStr(f"/nowhere/{SECRET}"), "can be run"),
        (SecretStr(f"unclosed '{SECRET}"), "arguments"),
        (SecretStr("  "), "arguments"),
        (SecretStr(f"{sys.executable} -c pass; echo {SECRET}"), "not 1|JSON"),
    ],
)
def test_a_command_that_does_not_serve_is_refused_without_a_word_of_it(
    command: SecretStr, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidSetting, match=said) as caught:
        ask_command(command, Scope.PAPER)
    assert "MAEMAE_KEYS__COMMAND" in str(caught.value)
    shown = capfd.readouterr()
    assert SECRET not in f"{caught.value} {caught.value!r}{shown.out}{shown.err}"


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    note = tmp_path / "child"
    command = a_command(
        "import subprocess, sys, time",
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])",
        f"open({str(note)!r}, 'w').write(str(child.pid))",
        "time.sleep(600)",
    )
    began = time.monotonic()
    with pytest.raises(InvalidSetting, match="within 5 s"):
        ask_command(command, Scope.PAPER, patience=5)
    assert time.monotonic() - began < 20
    child = int(note.read_text("utf-8"))
    for _ in range(100):
        if not Footprint.of(child).is_alive:
            return
        time.sleep(0.05)
    raise AssertionError("the child lives on")


# Which of them counts


def test_only_the_scope_of_the_channel_is_opened(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    safe = KeySafe(home / "keys")
    safe.save(Scope.PAPER, some_keys(appkey="paper-key"))
    safe.file(Scope.REAL).write_bytes(b"not even an age file")
    assert appkey_of(load_settings()) == "paper-key"
    monkeypatch.setenv("MAEMAE_CHANNEL", "live")
    with pytest.raises(InvalidSetting, match=r"real\.age"):
        load_settings()
    monkeypatch.setenv("MAEMAE_CHANNEL", "dev")
    assert load_settings().kis is None, "the simulator brings its own"


def test_environment_before_dotenv_file_before_command_before_kept_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    KeySafe(home / "keys").save(Scope.PAPER, some_keys(appkey="file"))
    assert appkey_of(load_settings()) == "file"
    command = printing(some_keys(appkey="command"))
    monkeypatch.setenv("MAEMAE_KEYS__COMMAND", command.get_secret_value())
    assert appkey_of(load_settings()) == "command"
    lines = {name.upper(): value for name, value in some_keys(appkey="dotenv").document().items()}
    written = "".join(f"MAEMAE_KIS__{name}={value}\n" for name, value in lines.items())
    (home / "runtime.env").write_text(written, "utf-8")
    monkeypatch.setenv("MAEMAE_KEYS__COMMAND", "/nowhere")  # not asked any more
    assert appkey_of(load_settings()) == "dotenv"
    monkeypatch.setenv("MAEMAE_KIS__APPKEY", "environment")
    assert appkey_of(load_settings()) == "environment"


def test_keys_are_never_put_together_from_two_places(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    KeySafe(home / "keys").save(Scope.PAPER, some_keys())
    monkeypatch.setenv("MAEMAE_KIS__APPKEY", "alone")
    with pytest.raises(InvalidSetting, match="MAEMAE_KIS__"):
        load_settings()


def test_other_settings_of_the_broker_go_with_kept_keys_but_no_other_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    KeySafe(home / "keys").save(Scope.PAPER, some_keys())
    monkeypatch.setenv("MAEMAE_KIS__CALLS_PER_SECOND", "2")
    assert load_settings().broker.pace == 2
    monkeypatch.setenv("MAEMAE_KIS__ENVIRONMENT", "real")
    with pytest.raises(InvalidSetting, match="MAEMAE_KIS__ENVIRONMENT='real': paper"):
        load_settings()


@pytest.mark.parametrize("place", ["file", "environment"])
def test_who_asks_to_look_on_gets_keys_that_cannot_place(
    home: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("MAEMAE_KEYS__SCOPE", "read")
    if place == "file":
        KeySafe(home / "keys").save(Scope.READ, some_keys())
    else:
        for name, value in some_keys().document().items():
            monkeypatch.setenv(f"MAEMAE_KIS__{name.upper()}", value)
        monkeypatch.setenv("MAEMAE_KIS__IS_READ_ONLY", "false")
    assert load_settings().broker.is_read_only


def test_looking_on_keeps_to_the_channels_kind_of_money(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAEMAE_KEYS__SCOPE", "read")
    KeySafe(home / "keys").save(Scope.READ, some_keys("real"))
    with pytest.raises(InvalidSetting, match="MAEMAE_KIS__ENVIRONMENT='real'"):
        _ = load_settings().broker


def test_what_nobody_may_see_is_known_to_the_logs(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    KeySafe(home / "keys").save(Scope.PAPER, some_keys())
    monkeypatch.setenv("MAEMAE_PREFECT_AUTH", "owner:long-enough-password")
    secrets = load_settings().secrets
    assert {"kept-appkey", SECRET, "owner:long-enough-password"} <= set(secrets)
