"""This is the command `plugins`: what of others is let in, by which hashes, and whether it was examined."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

import yaml
from cyclopts import App, Group

from adapters.stores import Stores
from deployments.console.accounts import market_time, open_account
from deployments.console.faults import sentence_of
from deployments.console.speech import option, say, wording
from deployments.console.tables import Column, paper, print_json, print_table
from deployments.registrations import register_all
from flows.settings import load_channel, load_settings
from plugins.settings import PluginGroup, PluginSettings
from plugins.sources import approved_sources, digests_of, find_origin, read_sources
from tasks.channels import ChannelSettings
from trading.errors import InvalidSetting

ROWS: Final = (Column("plugin"), Column("plugin_group"), Column("origin"), Column("state"))

type AsJson = Annotated[bool, option("json", name="--json")]


def show(*, as_json: AsJson = False) -> None:
    """Show the plug-ins of the channel's file, and whether their files are those that it names."""
    channel = load_channel(load_settings())
    rows = [_row(plugin) for plugin in channel.plugins]
    if as_json:
        print_json({"channel": channel.channel, "plugins": rows})
    else:
        print_table(say("title.plugins"), ROWS, rows)


def approve(
    source: Annotated[str, option("plugin_source")],
    /,
    *,
    group: Annotated[PluginGroup, option("plugin_group")] = PluginGroup.STRATEGY,
) -> None:
    """Print the lines for the channel's file that let a plug-in in as it is now; nothing of it is run."""
    origin = find_origin(source, group, source)
    sources = read_sources(origin)
    name = sources.top.replace("_", "-")
    document = {"id": name, "group": group.value, "source": source, "files": digests_of(sources)}
    approved_sources(PluginSettings.model_validate(document))
    paper().out(yaml.safe_dump({"plugins": [document]}, sort_keys=False, width=200), end="")


def register() -> None:
    """Examine the foreign strategies of the channel's file for look-ahead, so that they may decide."""
    with open_account() as account:
        channel, at = load_channel(account.settings), market_time(account.settings)
        tell_registrations(account.stores, channel, at=at)


def tell_registrations(stores: Stores, channel: ChannelSettings, *, at: datetime) -> None:
    """Register what is not yet, and tell each.

    Raises:
        InvalidSetting: with every leak in words.
        PluginFault: when one does not run.
    """
    for strategy, report in register_all(stores, channel, wording(), at=at):
        paper().print(say("plugins.registered", strategy=strategy.id, bars=report.bars))


def _row(plugin: PluginSettings) -> dict[str, str]:
    try:
        approved_sources(plugin)
        state = say("plugins.fits")
    except InvalidSetting as problem:
        state = sentence_of(problem)
    return {
        "plugin": plugin.id,
        "plugin_group": plugin.group,
        "origin": plugin.source,
        "state": state,
    }


def _app() -> App:
    app = App(
        name="plugins", help=say("help.plugins"), group_arguments=Group(say("group.arguments"))
    )
    for act in (show, approve, register):
        app.command(act, name=act.__name__, help=say(f"help.plugins_{act.__name__}"))
    return app


plugins: Final = _app()
