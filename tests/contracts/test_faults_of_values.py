"""A faulty factory.yaml, fault by fault: schedules, numbers, durations, and text that is no YAML."""

from pathlib import Path

import pytest

from .builders import faults_of, yaml


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (yaml("schedule: {cron: 61 3 * * *}"),
         "7: images.ubuntu.schedule.cron: '61 3 * * *' is not a cron expression (bad minute); "
         "expected minute, hour, day of month, month and day of week, such as 0 3 * * 1"),
        (yaml('schedule: {cron: "@daily"}'),
         "7: images.ubuntu.schedule.cron: '@daily' has 1 field; expected minute, hour, day of month, "
         "month and day of week, such as 0 3 * * 1"),
        (yaml("schedule: {cron: 0 0 3 * * *}"),
         "7: images.ubuntu.schedule.cron: '0 0 3 * * *' has 6 fields; expected minute, hour, day of "
         "month, month and day of week, such as 0 3 * * 1"),
        (yaml("schedule: {cron: 0 0 30 2 *}"),
         "7: images.ubuntu.schedule.cron: '0 0 30 2 *' is not a cron expression (bad day-of-month); "
         "expected minute, hour, day of month, month and day of week, such as 0 3 * * 1"),
        (yaml("schedule: {cron: 5}"),
         "7: images.ubuntu.schedule.cron: the number 5 (in quotes it would be text); expected five "
         "fields: minute, hour, day of month, month, day of week, such as 0 3 * * 1"),
        (yaml("schedule: {time_zone: UTC}"),
         "7: images.ubuntu.schedule: cron is missing; expected five fields: minute, hour, day of "
         "month, month, day of week, such as 0 3 * * 1"),
        (yaml("schedule: {cron: 0 3 * * *, time_zone: Europe/Pari}"),
         "7: images.ubuntu.schedule.time_zone: 'Europe/Pari' is not a time zone; expected a name such "
         "as Europe/Paris; did you mean Europe/Paris?"),
        (yaml("schedule: {cron: 0 3 * * *, time_zone: ../../etc/passwd}"),
         "7: images.ubuntu.schedule.time_zone: '../../etc/passwd' is not a time zone; expected a name "
         "such as Europe/Paris"),
        (yaml("schedule: {cron: 0 3 * * *, time_zone: Europe}"),
         "7: images.ubuntu.schedule.time_zone: 'Europe' is not a time zone; expected a name such as "
         "Europe/Paris; did you mean Europe/Rome?"),
        (yaml(top="limits: {copy_workers: 65}"),
         "7: limits.copy_workers: 65; expected a whole number from 1 to 64"),
        (yaml(top="limits: {copy_workers: 2.0}"),
         "7: limits.copy_workers: 2.0; expected a whole number from 1 to 64"),
        (yaml(top='limits: {copy_workers: "2"}'),
         "7: limits.copy_workers: '2'; expected a whole number from 1 to 64"),
        (yaml(top="limits: {runs_at_once: true}"),
         "7: limits.runs_at_once: true; expected a whole number from 1 to 1000"),
        (yaml(top="timing: {claim: 10 minutes}"),
         "7: timing.claim: '10 minutes'; expected a duration: a whole number of seconds, minutes, "
         "hours or days, such as 30m"),
        (yaml(top="timing: {claim: 0m}"),
         "7: timing.claim: '0m'; expected a duration: a whole number of seconds, minutes, hours or "
         "days, such as 30m"),
        (yaml(top="timing: {claim: 600}"),
         "7: timing.claim: the number 600; expected a duration: a whole number of seconds, minutes, "
         "hours or days, such as 30m"),
        (yaml(top="timing: {claim: 1:30}"),
         "7: timing.claim: the number 90; expected a duration: a whole number of seconds, minutes, "
         "hours or days, such as 30m"),
        (yaml(top="timing: {claim: 2d}"),
         "7: timing.claim: 2d is out of range; expected 1s to 1d"),
        (yaml(top="timing: {copy_lease: 10s}"),
         "7: timing.copy_lease: 10s is out of range; expected 15s to 1m, as the storage service allows"),
        (yaml(top="timing: {copy_lease: 61s}"),
         "7: timing.copy_lease: 61s is out of range; expected 15s to 1m, as the storage service allows"),
        (yaml(top="timing: {copy_slice: 1h}"),
         "7: timing.copy_slice: 1h is out of range; expected 1s to 8m, less than functionTimeout "
         "of host.json"),
        (yaml(top="timing: {retry_after: 30m}"),
         "7: timing.retry_after: '30m'; expected a list of 1 to 20 durations, such as [30m, 2h, 8h]"),
        (yaml(top="timing: {retry_after: []}"),
         "7: timing.retry_after: an empty list; expected a list of 1 to 20 durations, such as [30m, 2h, 8h]"),
        (yaml(top="timing:\n  retry_after:\n  - 1m\n  - 31d"),
         "10: timing.retry_after[1]: 31d is out of range; expected 1s to 30d"),
        (yaml(top="timing:\n  retry_after:\n  - 1m\n  - soon"),
         "10: timing.retry_after[1]: 'soon'; expected a duration: a whole number of seconds, minutes, "
         "hours or days, such as 30m"),
        ("",
         "1: the file is empty"),
        ("# nothing\n",
         "1: the file is empty"),
        ("null\n",
         "1: nothing; expected a mapping (lines of key: value)"),
        ("- a\n- b\n",
         "1: a list; expected a mapping (lines of key: value)"),
        (yaml(top="a: [b\nc: d"),
         "8: this is not YAML: while parsing a flow sequence, did not find expected ',' or ']' "
         "(column 2)"),
        (yaml(top="\tmode: act"),
         "7: this is not YAML: while scanning a plain scalar, found a tab character that violates "
         "indentation (column 1)"),
        (yaml(top="---\nmode: act"),
         "7: this is not YAML: expected a single document in the stream, but found another document "
         "(column 1)"),
        (yaml(top="mode: *nowhere"),
         "7: this is not YAML: found undefined alias (column 7)"),
        (yaml(top="mode: !!python/name:os.system"),
         "7: this is not YAML: could not determine a constructor for the tag "
         "'tag:yaml.org,2002:python/name:os.system' (column 7)"),
        (yaml(top="timing: &t {again: *t}"),
         "1: the file holds more than 100,000 values, or aliases without end"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_with_its_place_and_what_was_expected(
    tmp_path: Path, text: str, said: str
) -> None:
    (fault,) = faults_of(tmp_path, text)
    assert str(fault) == f"{tmp_path / 'factory.yaml'}:{said}"
