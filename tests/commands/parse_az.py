"""Parses `az` lines with the real azure-cli, all in one process and without running any of them.

A line a row on standard input; what the parser refuses is printed, and the exit status is 1. Groups that are extensions are
left out: they are not installed, and `tests/commands/extensions.toml` holds their options. Run it without a network, for
example under `unshare --net`.
"""

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile

os.environ.setdefault("AZURE_CONFIG_DIR", tempfile.mkdtemp(prefix="azure-config-"))
os.environ["AZURE_CORE_COLLECT_TELEMETRY"] = "no"

from azure.cli.core import get_default_cli  # noqa: E402
from azure.cli.core.commands.events import EVENT_INVOKER_PRE_LOAD_ARGUMENTS  # noqa: E402
from knack.events import EVENT_INVOKER_POST_CMD_TBL_CREATE, EVENT_INVOKER_PRE_CMD_TBL_CREATE  # noqa: E402

EXTENSIONS = ("graph ", "monitor data-collection ", "network firewall ", "dns-resolver ")

SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Network"
# Options that take resource ids and numbers check them while they parse.
VALUES = {
    "VNET_ID": f"{NETWORK}/virtualNetworks/v",
    "VM_SUBNET_ID": f"{NETWORK}/virtualNetworks/v/subnets/s",
    "ENDPOINT_SUBNET_ID": f"{NETWORK}/virtualNetworks/v/subnets/s",
    "NIC_ID": f"{NETWORK}/networkInterfaces/n",
    "PRIVATE_ENDPOINT_ID": f"{NETWORK}/privateEndpoints/e",
    "PRIORITY": "200",
    "FORMER_SETTINGS": "{}",
    "PRIVATE_ENDPOINT_ADDRESS": "10.0.0.4",
}


def filled(line):
    """The line with values that fit in the place of its placeholders."""

    def value(match):
        name = match.group(0)
        return SUBSCRIPTION if name.endswith("_SUBSCRIPTION") else VALUES.get(name, name)

    return re.sub(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\b(?!:)", value, line)


def refusal(cli, arguments):
    """What the parser says against the arguments; nothing where it takes them."""
    invocation = cli.invocation_cls(
        cli_ctx=cli, parser_cls=cli.parser_cls, commands_loader_cls=cli.commands_loader_cls, help_cls=cli.help_cls
    )
    cli.invocation = invocation
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            cli.raise_event(EVENT_INVOKER_PRE_CMD_TBL_CREATE, args=arguments)
            loader = invocation.commands_loader
            loader.load_command_table(arguments)
            command = invocation._rudimentary_get_command(arguments)
            if command not in loader.command_table:
                return f"there is no command `{command}`"
            invocation.data["command_string"] = command
            loader.command_table = {command: loader.command_table[command]}
            loader.command_name = command
            cli.raise_event(EVENT_INVOKER_PRE_LOAD_ARGUMENTS, commands_loader=loader)
            loader.load_arguments(command)
            cli.raise_event(EVENT_INVOKER_POST_CMD_TBL_CREATE, commands_loader=loader)
            invocation.parser.cli_ctx = cli
            invocation.parser.load_command_table(loader)
            invocation.parser.parse_args(arguments)
    except SystemExit:
        return said.getvalue().strip() or "refused"
    except Exception as error:  # noqa: BLE001 # whatever it is, the line was not taken
        return f"{type(error).__name__}: {error}"
    if "deprecated" in said.getvalue():
        return said.getvalue().strip()
    return None


def main():
    """Parses every line and tells which are refused."""
    os.chdir(tempfile.mkdtemp(prefix="azure-lines-"))
    for name in ("settings.json", "protected.json"):
        with open(name, "w", encoding="utf-8") as file:
            file.write("{}")
    cli = get_default_cli()
    # The check itself has to see what is wrong.
    for wrong in ("network private-dns zone lst", "network nic show --nonsense x", "network private-dns link vnet create -g g"):
        if refusal(cli, shlex.split(wrong)) is None:
            sys.exit(f"the parser takes what is wrong: az {wrong}")
    parsed, refused = 0, 0
    for line in sorted({line.strip() for line in sys.stdin}):
        command = line.removeprefix("az ")
        if command == line or command.startswith(EXTENSIONS):
            continue
        parsed += 1
        said = refusal(cli, shlex.split(filled(command)))
        if said is not None:
            refused += 1
            print(f"{line}\n    {said}")
    print(f"{parsed} lines parsed, {refused} refused")
    if parsed < 20:
        sys.exit("fewer lines than the rules print")
    sys.exit(1 if refused else 0)


main()
