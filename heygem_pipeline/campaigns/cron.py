"""Cron lines, understood as Dagster's schedules understand them: what passes here never breaks a schedule there."""

from datetime import datetime

from heygem_pipeline.campaigns.wrong_value import wrong_value
from heygem_pipeline.messages.message import Message
from heygem_pipeline.storage.printable_text import shown

FIELDS = 5
"""Minute, hour, day of the month, month, day of the week; Dagster knows no seconds."""


def checked_cron_line(line: str) -> str:
    """Return the line with single spaces. Raises what ``wrong_value`` makes."""
    from heygem_pipeline.runs.dagster_internals import has_out_of_range_cron_interval, is_valid_cron_string

    fields = line.split()
    if len(fields) != FIELDS:
        raise wrong_value(Message("campaign.cron_fields", line=shown(line)))
    line = " ".join(fields)
    if not is_valid_cron_string(line) or has_out_of_range_cron_interval(line):
        raise wrong_value(Message("campaign.cron_line", line=shown(line)))
    try:
        next_time(line, "UTC", datetime.now().astimezone())
    except ValueError as error:
        raise wrong_value(Message("campaign.cron_never", line=shown(line))) from error
    return line


def next_time(line: str, timezone: str, now: datetime) -> datetime:
    """The first time after ``now`` (with a time zone) that the line names, in ``timezone`` (IANA name).

    Raises ValueError where there is none, such as for the 31st of April.
    """
    from heygem_pipeline.runs.dagster_internals import get_next_cron_tick

    return get_next_cron_tick(line, now, timezone)
