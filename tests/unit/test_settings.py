"""This is who may trade with whose keys, and which source of a setting counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.kis.settings import Environment, KisSettings
from adapters.wording import Wording
from flows.settings import Settings, load_settings
from flows.sources import require_watchable
from tests.desks import a_channel
from trading.errors import InvalidSetting

KEYS = {"appkey": "a" * 36, "appsecret": "s" * 180, "account": "50012345-01"}


def settings_of(channel: str, environment: str, base_url: str = "") -> Settings:
    kis = KisSettings.model_validate(
        {**KEYS, "environment": environment, "base_url": base_url, "ws_url": ""}
    )
    return Settings(channel=channel, kis=kis, _env_file=None)


@pytest.mark.parametrize(("channel", "environment"), [("paper", "paper"), ("live", "real")])
def test_a_channel_trades_with_its_own_keys(channel: str, environment: str) -> None:
    assert settings_of(channel, environment).broker.environment is Environment(environment)


@pytest.mark.parametrize(
    ("channel", "environment", "right"),
    [
        ("paper", "real", "paper for channel paper"),
        ("live", "paper", "real for channel live"),
        ("dev", "real", "a simulator on this machine for channel dev"),
        ("dev", "paper", "a simulator on this machine for channel dev"),
    ],
)
def test_keys_of_another_kind_of_money_are_refused(
    channel: str, environment: str, right: str
) -> None:
    with pytest.raises(InvalidSetting, match=f"ENVIRONMENT='{environment}': {right}"):
        _ = settings_of(channel, environment).broker


@pytest.mark.parametrize("channel", ["dev", "paper", "live"])
def test_the_simulator_serves_every_channel(channel: str) -> None:
    settings = settings_of(channel, "paper", "http://127.0.0.1:9")
    assert settings.broker.base_url == "http://127.0.0.1:9"


def test_what_the_running_stack_wrote_counts_unless_the_environment_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runtime.env").write_text(
        "MAEMAE_SIMULATOR_URL=http://127.0.0.1:1\nMAEMAE_LANGUAGE=en\n", encoding="utf-8"
    )
    monkeypatch.setenv("MAEMAE_HOME", str(tmp_path))
    monkeypatch.setenv("MAEMAE_LANGUAGE", "ko")
    settings = load_settings()
    assert settings.home == tmp_path
    assert (settings.simulator_url, settings.language) == ("http://127.0.0.1:1", "ko")


def test_no_secret_is_shown() -> None:
    shown = repr(settings_of("paper", "paper"))
    assert "a" * 36 not in shown
    assert "s" * 180 not in shown


@pytest.mark.parametrize(
    ("channel", "environment", "most", "pace"),
    [("live", "real", 160, 18), ("paper", "paper", 100, 1)],
)
def test_a_watch_list_that_cannot_be_kept_up_with_is_refused_with_the_figures(
    channel: str, environment: str, most: int, pace: int
) -> None:
    """Heard: 41 registrations less the notices'. Asked for: one a second in 120 s, or one in two on paper."""
    settings = settings_of(channel, environment)
    longest = [f"{number:06}" for number in range(most)]
    watched = a_channel().model_copy(update={"channel": channel, "watch_list": longest})
    require_watchable(settings, watched)
    one_more = watched.model_copy(update={"watch_list": [*longest, "999999"]})
    with pytest.raises(InvalidSetting) as refused:
        require_watchable(settings, one_more)
    words = f"at most {most} symbols: 40 that the stream hears, {most - 40} that can be asked for"
    assert f"{channel}.yaml: watch_list={most + 1}: {words}" in str(refused.value)
    assert f"초당 {pace}건" in Wording("ko").own_words(refused.value.expected)
