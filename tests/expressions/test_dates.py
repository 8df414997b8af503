"""Dates: formats, patterns, zones, arithmetic. The expected texts are the JDK's."""

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest

MOMENT = datetime(2024, 3, 5, 17, 8, 9, 12345, tzinfo=UTC)

PATTERNS = {
    "yyyy-MM-dd'T'HH:mm:ssXXX": "2024-03-05T18:08:09+01:00",
    "d.M.yy": "5.3.24",
    "EEE, d MMM uuuu": "Tue, 5 Mar 2024",
    "EEEE d MMMM": "Tuesday 5 March",
    "MMMMM LLL QQQ QQQQ": "M Mar Q1 1st quarter",
    "hh:mm a K k": "06:08 PM 6 18",
    "SSS SSSSSSSSS n": "012 012345000 12345000",
    "A N": "65289012 65289012345000",
    "DDD w W e F": "065 10 2 3 5",
    "YYYY-'W'ww": "2024-W10",
    "X XX x Z ZZZZ ZZZZZ O": "+01 +0100 +01 +0100 GMT+01:00 +01:00 GMT+1",
    "z zzzz VV": "CET Central European Standard Time Europe/Paris",
    "'it''s' ''": "it's '",
    "[HH]ppppM": "18   3",
    "G GGGG": "AD Anno Domini",
}


@pytest.mark.parametrize(("pattern", "expected"), PATTERNS.items(), ids=PATTERNS)
def test_dates_are_written_by_javas_patterns(shown, pattern, expected):
    template = "{{ at | date(pattern, timeZone='Europe/Paris') }}"
    assert shown(template, {"at": MOMENT, "pattern": pattern}) == expected


NAMED = {
    "iso": "2024-03-05T17:08:09.012345Z",
    "iso_sec": "2024-03-05T17:08:09Z",
    "sql": "2024-03-05 17:08:09.012345",
    "sql_seq": "2024-03-05 17:08:09",
    "iso_date_time": "2024-03-05T17:08:09.012345Z[UTC]",
    "iso_zoned_date_time": "2024-03-05T17:08:09.012345Z[UTC]",
    "iso_date": "2024-03-05Z",
    "iso_time": "17:08:09.012345Z",
    "iso_local_date": "2024-03-05",
    "iso_local_time": "17:08:09.012345",
    "iso_local_date_time": "2024-03-05T17:08:09.012345",
    "iso_offset_time": "17:08:09.012345Z",
    "iso_instant": "2024-03-05T17:08:09.012345Z",
    "iso_ordinal_date": "2024-065Z",
    "iso_week_date": "2024-W10-2Z",
    "rfc_1123_date_time": "Tue, 5 Mar 2024 17:08:09 GMT",
    "full": "Tuesday, March 5, 2024 at 5:08:09 PM Coordinated Universal Time",
    "long": "March 5, 2024 at 5:08:09 PM UTC",
    "medium": "Mar 5, 2024, 5:08:09 PM",
    "short": "3/5/24, 5:08 PM",
}


@pytest.mark.parametrize(("name", "expected"), NAMED.items(), ids=NAMED)
def test_formats_have_names(shown, name, expected):
    assert shown("{{ at | date(name, timeZone='UTC') }}", {"at": MOMENT, "name": name}) == expected


LANGUAGES = {
    "fr_FR": "mardi 5 mars",
    "de-DE": "Dienstag 5 März",
    "es": "martes 5 marzo",
    "it_IT": "martedì 5 marzo",
    "pt_BR": "terça-feira 5 março",
    "nl_NL": "dinsdag 5 maart",
    "pl_PL": "wtorek 5 marca",
}


@pytest.mark.parametrize(("language", "expected"), LANGUAGES.items(), ids=LANGUAGES)
def test_dates_speak_several_languages(shown, language, expected):
    template = "{{ at | date('EEEE d MMMM', locale=language) }}"
    assert shown(template, {"at": MOMENT, "language": language}) == expected


READ = {
    ("05/03/2024", "dd/MM/yyyy"): "2024-03-05T00:00:00.000000+01:00",
    ("20240305170809", "yyyyMMddHHmmss"): "2024-03-05T17:08:09.000000+01:00",
    ("5 Mar 2024 5:08 PM", "d MMM yyyy h:mm a"): "2024-03-05T17:08:00.000000+01:00",
    ("March 5, 2024", "MMMM d, yyyy"): "2024-03-05T00:00:00.000000+01:00",
    ("24-3-5", "yy-M-d"): "2024-03-05T00:00:00.000000+01:00",
    ("2024-065", "yyyy-DDD"): "2024-03-05T00:00:00.000000+01:00",
    ("2024-03-05T17:08:09.25Z", "yyyy-MM-dd'T'HH:mm:ss.SSX"): "2024-03-05T18:08:09.250000+01:00",
    ("2024-03-05 17:08 +0530", "yyyy-MM-dd HH:mm Z"): "2024-03-05T12:38:00.000000+01:00",
    ("2024-03-05 17:08 America/New_York", "yyyy-MM-dd HH:mm VV"): "2024-03-05T23:08:00.000000+01:00",
    ("2024-03-05", "yyyy-MM-dd[ HH:mm]"): "2024-03-05T00:00:00.000000+01:00",
    ("2024-03-05 24:00", "yyyy-MM-dd HH:mm"): "2024-03-06T00:00:00.000000+01:00",
    ("2024-02-31", "yyyy-MM-dd"): "2024-02-29T00:00:00.000000+01:00",
    ("Tue, 5 Mar 2024 17:08:09 GMT", "rfc_1123_date_time"): "2024-03-05T18:08:09.000000+01:00",
    ("2024-03-05 17:08:09", "sql_seq"): "2024-03-05T17:08:09.000000+01:00",
    ("2024-W10-2", "iso_week_date"): "2024-03-05T00:00:00.000000+01:00",
    ("3/5/24, 5:08 PM", "short"): "2024-03-05T17:08:00.000000+01:00",
}


@pytest.mark.parametrize(("text", "pattern"), READ, ids=str)
def test_texts_are_read_by_an_existing_format(shown, text, pattern):
    template = "{{ text | date(existingFormat=pattern, timeZone='Europe/Paris') }}"
    assert shown(template, {"text": text, "pattern": pattern}) == READ[text, pattern]


ISO = {
    "2024-03-05": "2024-03-05T00:00:00.000000+01:00",
    "2024-03-05T17:08": "2024-03-05T17:08:00.000000+01:00",
    "2024-03-05T17:08:09.5": "2024-03-05T17:08:09.500000+01:00",
    "2024-03-05T17:08:09Z": "2024-03-05T18:08:09.000000+01:00",
    "2024-03-05T17:08:09-05:00": "2024-03-05T23:08:09.000000+01:00",
    "2024-03-05T17:08:09+01:00[Europe/Paris]": "2024-03-05T17:08:09.000000+01:00",
    "2024-03-31T02:30:00": "2024-03-31T03:30:00.000000+02:00",
}


@pytest.mark.parametrize(("text", "expected"), ISO.items(), ids=ISO)
def test_iso_texts_are_read_without_being_told(shown, text, expected):
    assert shown("{{ text | date(timeZone='Europe/Paris') }}", {"text": text}) == expected


VALUES = {
    "an instant": (MOMENT, "2024-03-05T17:08:09Z"),
    "a date in a zone": (datetime(2024, 3, 5, 1, tzinfo=timezone(timedelta(hours=2))), "2024-03-04T23:00:00Z"),
    "a date and time without a zone": (datetime(2024, 3, 5, 1), "2024-03-05T01:00:00Z"),  # noqa: DTZ001 - on purpose
    "a day": (date(2024, 3, 5), "2024-03-05T12:00:00Z"),
    "seconds of the epoch": (1709658489, "2024-03-05T17:08:09Z"),
}


@pytest.mark.parametrize(("value", "expected"), VALUES.values(), ids=VALUES)
def test_all_kinds_of_values_are_dates(shown, value, expected):
    assert shown("{{ value | date('iso_sec') }}", {"value": value}) == expected


ADDED = {
    "1, 'DAYS'": "2024-03-31T12:00:00+02:00",
    "24, 'HOURS'": "2024-03-31T13:00:00+02:00",
    "-1, 'WEEKS'": "2024-03-23T12:00:00+01:00",
    "1, 'MONTHS'": "2024-04-30T12:00:00+02:00",
    "-1, 'MONTHS'": "2024-02-29T12:00:00+01:00",
    "-1, 'YEARS'": "2023-03-30T12:00:00+02:00",
    "90, 'SECONDS'": "2024-03-30T12:01:30+01:00",
}


@pytest.mark.parametrize(("amount", "expected"), ADDED.items(), ids=ADDED)
def test_days_keep_the_clock_and_hours_count_as_they_pass(shown, amount, expected):
    template = f"{{{{ '2024-03-30T12:00:00' | dateAdd({amount}, 'iso_sec', 'Europe/Paris') }}}}"
    assert shown(template) == expected


def test_timestamps_count_from_the_epoch(shown):
    variables = {"at": MOMENT}
    assert shown("{{ at | timestamp }}", variables) == "1709658489"
    assert shown("{{ at | timestampNano }}", variables) == "1709658489012345000"
    assert shown("{{ at | timestampMicro }}", variables) == "1709658489000012345"


def test_now_is_the_worlds(shown):
    assert shown("{{ now() }}") == "2024-05-06T07:08:09.000000Z"
    assert shown("{{ now('HH:mm', timeZone='Asia/Tokyo') }}") == "16:08"


REFUSED = {
    "{{ 'soon' | date }}": "Text 'soon' could not be parsed at index 0",
    "{{ '2024-13-01' | date }}": "Text '2024-13-01' could not be parsed",
    "{{ '2024' | date(existingFormat='yyyy') }}": "Unable to obtain LocalDate",
    "{{ true | date }}": "class java.lang.Boolean cannot be cast to class java.lang.String",
    "{{ now('T') }}": "Unknown pattern letter: T",
    "{{ now('ddd') }}": "Too many pattern letters: d",
    "{{ now('#') }}": "Pattern includes reserved character: '#'",
    '{{ now("\'open") }}': "Pattern ends with an incomplete string literal: 'open",
    "{{ now(timeZone='Mars/Base') }}": "Unknown time-zone ID: Mars/Base",
    "{{ now(timeZone='../etc') }}": "Invalid ID for region-based ZoneId, invalid format: ../etc",
    "{{ now(locale='xx_YY') }}": "The locale 'xx_YY' is not known here",
    "{{ now() | dateAdd(1, 'DAY') }}": "No enum constant java.time.temporal.ChronoUnit.DAY",
    "{{ now() | dateAdd(1) }}": "The 'dateAdd' filter expects the arguments 'amount' and 'unit'.",
    "{{ now() | dateAdd(9000000000000, 'YEARS') }}": "The date exceeds what can be held",
}


@pytest.mark.parametrize(("template", "message"), REFUSED.items(), ids=REFUSED)
def test_what_is_no_date_is_refused(refusal, template, message):
    assert message in refusal(template)


PRINTED = {
    "an instant": (datetime(2024, 1, 2, 3, tzinfo=UTC), "2024-01-02T03:00:00Z", '"2024-01-02T03:00:00Z"'),
    "a date in a zone": (
        datetime(2024, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))),
        "2024-01-02T03:00+02:00",
        '"2024-01-02T01:00:00Z"',
    ),
    "a day": (date(2024, 1, 2), "2024-01-02", '"2024-01-02"'),
    "a time": (time(3, 4), "03:04", '"03:04:00"'),
    "a duration": (timedelta(minutes=1, seconds=30.5), "PT1M30.5S", "90.500000000"),
}


@pytest.mark.parametrize(("value", "printed", "in_json"), PRINTED.values(), ids=PRINTED)
def test_dates_print_as_java_prints_them(shown, value, printed, in_json):
    assert shown("{{ v }}", {"v": value}) == printed
    assert shown("{{ [v] }}", {"v": value}) == f"[{in_json}]"
