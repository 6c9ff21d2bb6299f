"""The verbs of `labor-bot` and their groups."""

from __future__ import annotations

import click

from bot.cli import (
    audit,
    database,
    doctor,
    eligibility,
    exporting,
    intents,
    knowledge,
    line,
    phrasebook,
    purge,
    serving,
    staff,
    talking,
    telegram,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="labor-bot")
def main() -> None:
    """The assistant of New Taipei City's Labor Affairs Bureau."""
    database.take_keys()


main.add_command(serving.serve)
main.add_command(doctor.doctor)
main.add_command(talking.ask)
main.add_command(talking.chat)
main.add_command(knowledge.knowledge)
main.add_command(eligibility.eligibility)
main.add_command(intents.intents)
main.add_command(staff.staff)
main.add_command(audit.audit)
main.add_command(line.line)
main.add_command(telegram.telegram)
main.add_command(phrasebook.phrasebook)
main.add_command(exporting.export)
main.add_command(purge.purge)
main.add_command(database.migrate)
main.add_command(database.backup)
main.add_command(database.restore)
main.add_command(database.store)
