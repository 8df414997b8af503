"""What the values mean, and which of them cannot stand together."""

from datetime import timedelta

import pytest

from casemate.errors import Refused
from casemate.secret import Secret
from casemate.settings import KNOWN, Settings, envs, keyring, load, thread_rule
from casemate.settings.account import password_fault
from casemate.settings.values import duration, size

WORDS = "bWVtb3J5IG9mIHRoaXJ0eS10d28gYnl0ZXMuLi4uLi4="
OTHER_KEY = "NWRhUDc5TERWY2QyMDhSSHhfeWYzbjJpNE5vb3M5NnY="
GOOD_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def settings(text: str, **environ: str) -> Settings:
    return load([("kestra.yml", text)], environ).settings


def refusals(text: str) -> list[str]:
    with pytest.raises(Refused) as caught:
        settings(text)
    return [f"{problem.path}: {problem.message} {problem.remedy}".rstrip() for problem in caught.value.problems]


def warnings(text: str) -> list[str]:
    return [f"{warning.path}: {warning.message}" for warning in load([("kestra.yml", text)], {}).warnings]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("5s", 5), ("10m", 600), ("1h", 3600), ("7d", 604800), ("PT5M", 300), ("P30D", 2592000)],
)
def test_durations(text, seconds):
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["5", "", "5 minutes", "P", "1w", "99999999999999d", "٣s"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="a duration such as"):
        duration(text)


@pytest.mark.parametrize(
    ("text", "count"), [("512", 512), ("1KB", 1024), ("10MB", 10 << 20), ("2 GiB", 2 << 30), ("1t", 1 << 40)]
)
def test_sizes(text, count):
    assert size(text) == count


def test_words_are_known_in_any_case():
    text = "kestra: {server: {worker-task-restart-strategy: after-termination-grace-period}}"
    assert settings(text).server.worker_task_restart_strategy == "AFTER_TERMINATION_GRACE_PERIOD"


def test_every_default_is_of_its_own_kind():
    assert settings("").isolation.required_level == "full"
    names = [key.name for key in KNOWN.keys]
    assert len(names) == len(set(names))
    assert not [key.name for key in KNOWN.keys if key.guard and key.later]


def test_text_stays_as_written():
    account = "{username: yes, password: 01234567890987654321}"
    auth = settings(f"kestra: {{server: {{basic-auth: {account}}}}}").server.basic_auth
    assert auth is not None
    assert (auth.username, auth.password.reveal(), auth.realm) == ("yes", "01234567890987654321", "Kestra")


@pytest.mark.parametrize("half", ["{username: me}", "{password: x}", "{username: me, password: ''}", "{enabled: true}"])
def test_half_an_account_is_refused(half):
    assert len(refusals(f"kestra: {{server: {{basic-auth: {half}}}}}")) == 1


def fault(password: str, username: str = "ops@example.org") -> str | None:
    return password_fault(password, username)


GUESSED = ["Passw0rd!", "KESTRA", "ops@example.org", "ops", "ChangeMe", "admin123"]
LEFT_OPEN = [
    "<password>",
    "${OPS_PASSWORD}",
    "$OPS_PASSWORD",
    "{{password}}",
    "%PASSWORD%",
    "your-Passw0rd",
    "********",
]
SHORT = ["a", "Abcdef1", "abcdefgh1", "ABCDEFGH1", "Abcdefghi", "a" * 30]
UNSEEN = ["Correct Horse 1\n", " Correct Horse 1", "Correct\x00Horse1"]


@pytest.mark.parametrize("password", [*GUESSED, *LEFT_OPEN, *SHORT, *UNSEEN, "Aa1" + "b" * 300, ""])
def test_a_password_that_protects_nothing_is_refused(password):
    assert fault(password)


@pytest.mark.parametrize(
    "password", ["Abcdefg1", "correct horse battery staple", "0a" * 4 + "b1c2d3e4f5a6", "Äöü12345"]
)
def test_a_password_with_enough_in_it_is_accepted(password):
    assert fault(password) is None


def test_a_weak_password_is_refused_at_its_place_without_showing_it():
    with pytest.raises(Refused) as caught:
        settings("kestra:\n  server:\n    basic-auth:\n      username: me\n      password: hunter2\n")
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (5, 7)
    assert "must have 8 characters" in problem.printed()
    assert "hunter2" not in problem.printed()


@pytest.mark.parametrize("name", ["'a:b'", "' me'", '"m\\te"', "m" * 300])
def test_a_name_that_nobody_could_sign_in_with_is_refused(name):
    (problem,) = refusals(f"kestra: {{server: {{basic-auth: {{username: {name}, password: Abcdefg1}}}}}}")
    assert problem.startswith("kestra.server.basic-auth.username: must not ")


@pytest.mark.parametrize("url", ["/", "//", "/api", "/api/v1/", "/API/v1/", "/api/v1/main", "/api/v1//main/"])
def test_an_open_url_never_opens_the_whole_api(url):
    text = f"kestra: {{server: {{basic-auth: {{username: me, password: Abcdefg1, open-urls: ['{url}']}}}}}}"
    assert "would leave the whole API without a password" in refusals(text)[0]


@pytest.mark.parametrize("url", ["ping", "/ping/../api", "/%70ing", "/ping/*", "/ping;x", "/ping?", "/pi ng", "/ping#"])
def test_an_open_url_is_a_plain_path(url):
    text = f"kestra: {{server: {{basic-auth: {{username: me, password: Abcdefg1, open-urls: ['{url}']}}}}}}"
    assert "must hold plain paths" in refusals(text)[0]


def test_liveness_must_be_possible():
    text = "kestra: {server: {liveness: {heartbeat-interval: 5s, timeout: 5s}}}"
    assert refusals(text) == [
        "kestra.server.liveness.heartbeat-interval: "
        "kestra.server.liveness.heartbeat-interval must be less than kestra.server.liveness.timeout"
    ]
    assert refusals("kestra: {server: {liveness: {interval: 0s}}}")
    assert refusals("kestra: {server: {liveness: {interval: 1m}}}")


def test_the_older_heartbeat_keys_speak_where_the_newer_are_silent():
    live = settings("kestra: {heartbeat: {frequency: 4s, heartbeat-missed: 5}}").server.liveness
    assert (live.heartbeat_interval, live.timeout) == (timedelta(seconds=4), timedelta(seconds=20))
    both = "kestra: {heartbeat: {frequency: 4s}, server: {liveness: {timeout: 30s}}}"
    assert settings(both).server.liveness.timeout == timedelta(seconds=30)
    assert "deprecated" in warnings(both)[0]


def test_an_encryption_key_is_checked_at_start():
    good = settings(f"kestra: {{encryption: {{secret-key: '{GOOD_KEY}\\n'}}}}".replace("'", '"'))
    assert good.encryption.secret_key == Secret(GOOD_KEY)
    for bad in ("not base64!", "c2hvcnQ=", "A" * 43 + "=", WORDS):
        (refusal,) = refusals(f"kestra: {{encryption: {{secret-key: '{bad}'}}}}")
        assert refusal.startswith("kestra.encryption.secret-key: ")
        assert refusal.endswith("openssl rand -base64 32")
        assert bad not in refusal
    assert "make AES-256" in warnings(f"kestra: {{encryption: {{secret-key: {GOOD_KEY[:32]}}}}}")[0]


def encryption(*keys: str, alone: str = "") -> str:
    return f"kestra: {{encryption: {{{alone} keys: [{', '.join(keys)}]}}}}"


FIRST = f"{{id: one, secret: '{GOOD_KEY}', primary: true}}"
SECOND = f"{{id: two, secret: '{OTHER_KEY}'}}"
ALONE = f"secret-key: '{OTHER_KEY}',"


def test_several_encryption_keys_have_ids_and_one_of_them_encrypts():
    read = settings(encryption(FIRST, SECOND)).encryption
    assert [(key.id, key.secret.reveal(), key.primary) for key in read.keys] == [
        ("one", GOOD_KEY, True),
        ("two", OTHER_KEY, False),
    ]
    assert keyring(read).seal("x").key == "one"
    assert GOOD_KEY not in repr(read)
    assert keyring(settings("kestra: {}").encryption) is None


def test_the_key_that_stands_alone_encrypts_until_another_is_primary():
    beside = keyring(settings(encryption(FIRST.replace(", primary: true", ""), alone=ALONE)).encryption)
    assert beside.seal("x").key == "default"
    before = keyring(settings(f"kestra: {{encryption: {{{ALONE}}}}}").encryption).seal("x")
    assert before.key is None
    assert keyring(settings(encryption(FIRST, alone=ALONE)).encryption).opened(before) == ("default", "x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (encryption("5"), "[0] must have id and secret"),
        (encryption("{id: one}"), "[0] must have id and secret"),
        (encryption(FIRST, FIRST.replace("id: one", "id: 'a b'")), "[1] must have an id of at most 64"),
        (encryption("{id: one, secret: [], primary: true}"), "[0] must have a text as secret"),
        (encryption(FIRST.replace("true", "5")), "[0] must have true or false as primary"),
        (encryption(f"{{id: one, secret: {WORDS}, primary: true}}"), "[0] is made of words"),
        (encryption("{id: one, secret: c2hvcnQ=, primary: true}"), "[0] must be Base64 of 16, 24 or 32 bytes"),
        (encryption(FIRST, FIRST.replace(GOOD_KEY, OTHER_KEY)), "has the id one twice"),
        (encryption(FIRST.replace("one", "default"), alone=ALONE), "has the id default twice"),
        (encryption(FIRST, SECOND.replace(OTHER_KEY, GOOD_KEY)), "has the same key under two ids"),
        (encryption(FIRST, SECOND.replace(OTHER_KEY, GOOD_KEY.rstrip("="))), "has the same key under two ids"),
        (encryption(FIRST, SECOND.replace("}", ", primary: true}")), "has several keys with primary: true"),
        (encryption(SECOND), "has no key with primary: true"),
        ("kestra: {encryption: {keys: one}}", "must be a list of entries"),
    ],
)
def test_what_a_list_of_encryption_keys_must_not_say(text, said):
    found = refusals(text)
    assert any(f"kestra.encryption.keys: {said}" in one for one in found), found
    assert not [one for one in found if GOOD_KEY in one or OTHER_KEY in one or WORDS in one]


def test_plaintext_is_allowed_in_words_only_and_with_a_warning():
    assert settings("kestra: {}").encryption.allow_plaintext is False
    allowed = "kestra: {encryption: {allow-plaintext: true}}"
    assert settings(allowed).encryption.allow_plaintext is True
    assert "stored in the clear" in warnings(allowed)[0]
    assert "there is a key" in warnings(allowed.replace("{allow", f"{{{ALONE} allow"))[0]


def egress(text: str) -> str:
    return f"casemate: {{isolation: {{egress: {{{text}}}}}}}"


def test_destinations_are_ranges_and_names():
    rules = settings(
        egress("public: false, allow: [10.0.0.0/8, '*.example.com:443', '[2001:db8::/32]:80']")
    ).isolation.egress
    assert (rules.open, rules.public, rules.deny) == (True, False, ())
    assert rules.allow == ("10.0.0.0/8", "*.example.com:443", "[2001:db8::/32]:80")
    assert settings("").isolation.egress.public


def test_a_destination_that_is_none_is_refused_with_what_to_write():
    assert "Write 10.0.0.0/8" in refusals(egress("allow: [10.0.0.1/8]"))[0]
    assert "Write the host alone: api.example.com" in refusals(egress("deny: ['https://api.example.com/']"))[0]
    assert "casemate.isolation.egress.allow" in refusals(egress("allow: [example.com:99999]"))[0]


def test_destinations_must_not_contradict_each_other():
    for lists in (
        "allow: [10.0.0.0/8], deny: [10.0.0.0/8]",
        "allow: [a.example], deny: [A.example.]",
        "allow: ['10.0.0.1:80'], deny: ['10.0.0.1/32:80']",
    ):
        assert "is both allowed and denied" in refusals(egress(lists))[0]
    closing = refusals(egress("allow: [a.example], deny: [0.0.0.0/0]"))[0]
    assert "Write casemate.isolation.egress.public: false instead" in closing
    assert settings(egress("public: false, allow: ['10.0.0.1:80'], deny: [10.0.0.1]"))


def test_destinations_without_effect_are_told():
    assert "nowhere to connect to" in warnings(egress("public: false"))[0]
    assert "while casemate.isolation.egress.open is false" in warnings(egress("open: false, public: false"))[0]
    assert "while casemate.isolation.egress.public is true" in warnings(egress("allow: [a.example]"))[0]
    assert not warnings(egress("allow: [good.bad.example], deny: ['*.bad.example']"))
    assert not warnings(egress("public: false, allow: [a.example]"))


def test_paths_are_checked():
    assert refusals("casemate: {isolation: {visible-paths: [srv]}}")
    walls = "\nkestra: {{ee: {{java-security: {{enabled: true, forbiddenPaths: [/srv/]}}}}}}"
    both = "casemate: {{isolation: {{visible-paths: [{}]}}}}" + walls
    assert "/srv/x is to be shown, but /srv is forbidden" in refusals(both.format("/srv/x"))[0]
    assert settings(both.format("/srvx")).isolation.visible_paths == ("/srvx",)


def test_paths_are_made_plain():
    text = "kestra: {ee: {java-security: {enabled: true, forbidden-paths: [~/.aws, //etc/../opt/, /]}}}"
    assert settings(text, HOME="/home/me").java_security.forbidden_paths == ("/home/me/.aws", "/opt", "/")


@pytest.mark.parametrize(
    ("rules", "type_name", "expected"),
    [
        ("", "a.B", None),
        ("authorized-class-prefix: [io.kestra.plugin.gcp]", "io.kestra.plugin.gcp.X", None),
        ("authorized-class-prefix: [io.kestra.plugin.gcp.]", "io.kestra.plugin.gcp.X", None),
        ("authorized-class-prefix: [io.kestra.plugin.gcp]", "io.kestra.plugin.gcpx.X", "authorized-class-prefix"),
        ("forbidden-class-prefix: [a.b]", "a.b.C", "forbidden-class-prefix"),
        ("forbidden-class-prefix: [a.b]", "a.c.C", None),
        ("forbidden-class-prefix: [a.b], authorized-class-prefix: [a]", "a.b.C", "forbidden-class-prefix"),
        ("forbidden-class-prefix: [a.b], authorized-class-prefix: [a]", "a.C", None),
        ("forbidden-class-prefix: [a.b], authorized-class-prefix: [a]", "c.C", "authorized-class-prefix"),
    ],
)
def test_who_may_start_threads(rules, type_name, expected):
    text = f"kestra: {{ee: {{java-security: {{enabled: true, {rules}}}}}}}"
    forbidding = thread_rule(settings(text).java_security, type_name)
    assert forbidding == (f"kestra.ee.java-security.{expected}" if expected else None)


def test_rules_without_the_switch_are_said_to_be_idle():
    idle = "kestra: {ee: {java-security: {forbidden-class-prefix: [a]}}}"
    assert thread_rule(settings(idle).java_security, "a.B") is None
    assert "has no effect while kestra.ee.java-security.enabled is false" in warnings(idle)[0]


def test_script_types_among_the_authorised_are_worth_a_word():
    text = "kestra: {ee: {java-security: {enabled: true, authorized-class-prefix: [io.kestra.plugin]}}}"
    assert "lets script tasks start threads" in warnings(text)[0]


def test_flows_see_the_prefixed_variables_and_no_others():
    environ = {"ENV_A_B": "1", "HOME": "/", "SECRET_X": "2", "ENV_HIDDEN": "3"}
    text = "kestra: {variables: {redacted-env-vars: [ENV_HIDDEN]}}"
    assert envs(settings(text).variables, environ) == {"a_b": "1"}
    everything = "kestra: {variables: {env-vars-prefix: ''}}"
    assert "secret_x" not in envs(settings(everything).variables, environ)


def test_the_older_prefix_shows_neither_configuration_nor_secrets():
    environ = {"KESTRA_TEST": "1", "KESTRA_URL": "2", "KESTRA_DB_PASSWORD": "3", "SECRET_X": "4"}
    asked = "kestra: {variables: {env-vars-prefix: KESTRA_}}"
    assert envs(settings(asked).variables, environ) == {"test": "1"}
    everything = "kestra: {variables: {env-vars-prefix: ''}}"
    assert envs(settings(everything).variables, environ) == {}


def test_no_repr_of_the_settings_has_a_secret():
    text = f"""
kestra:
  server: {{basic-auth: {{username: me, password: Abc123hunter2}}}}
  encryption: {{secret-key: {GOOD_KEY}}}
  variables: {{globals: {{apiKey: hunter2}}}}
  plugins: {{defaults: [{{type: a.B, values: {{accessKey: hunter2}}}}]}}
  secret: {{type: vault, vault: {{token: {{token: hunter2}}}}}}
"""
    assert "hunter2" not in repr(settings(text))
    assert GOOD_KEY not in repr(settings(text))


SCHEDULE = "io.kestra.plugin.core.trigger.Schedule"


def test_missed_schedules_are_said_by_type():
    text = f"kestra: {{plugins: {{configurations: [{{type: {SCHEDULE}, values: {{recoverMissedSchedules: NONE}}}}]}}}}"
    assert settings(text).recover_missed == {SCHEDULE: "NONE"}
    assert warnings(text) == []
    assert settings("").recover_missed == {}


@pytest.mark.parametrize(
    ("entries", "refusal"),
    [
        ("a", "must be a list of entries, each with a type and values"),
        ("[{values: {}}]", "must be a list of entries, each with a type and values"),
        (
            f"[{{type: {SCHEDULE}, values: {{recoverMissedSchedules: SOME}}}}]",
            "must be one of ALL, LAST, NONE, not SOME",
        ),
    ],
)
def test_plugin_configurations_that_cannot_be_meant(entries, refusal):
    (told,) = refusals(f"kestra: {{plugins: {{configurations: {entries}}}}}")
    assert refusal in told


def test_plugin_configurations_that_nothing_looks_at_are_told():
    text = "kestra: {plugins: {configurations: [{type: some.Runner, values: {volume-enabled: true}}]}}"
    (told,) = warnings(text)
    assert "volume-enabled of some.Runner has no effect" in told


def test_lists_of_web_addresses_hold_urls_only():
    text = (
        "kestra: {tasks: {http: {allowed-list: ['https://*.example.com/v1'], denied-list: 'http://169.254.169.254'}}}"
    )
    assert settings(text).http.allowed == ("https://*.example.com/v1",)
    assert settings(text).http.denied == ("http://169.254.169.254",)
    assert settings("kestra: {tasks: {http: {denied-list: ['http://localhost', 'http://2852039166x']}}}").http.denied


@pytest.mark.parametrize(
    ("entry", "refusal"),
    [
        ("example.com", "is no URL with http:// or https:// and a host"),
        ("ftp://example.com", "is no URL with http:// or https:// and a host"),
        ("https://", "is no URL with http:// or https:// and a host"),
        ("https://me:pw@example.com", "is judged by scheme, host, port and path only"),
        ("https://example.com/?a=b", "is judged by scheme, host, port and path only"),
        ("https://example.com:99999", "is no URL"),
        ("https://10.0.0.0.0", "is no range of addresses"),
        ("https://*", "* means every host"),
    ],
)
def test_an_entry_that_no_request_could_be_held_against_is_refused(entry, refusal):
    (told,) = refusals(f"kestra: {{tasks: {{http: {{denied-list: ['{entry}']}}}}}}")
    assert told.startswith("kestra.tasks.http.denied-list: cannot be used")
    assert refusal in told


def test_the_protection_from_zip_bombs_wants_both_limits():
    section = "kestra: {{security: {{zip-bomb-protection: {{{}}}}}}}"
    rules = settings(section.format("enabled: true, max-number-of-entries: 10, max-entry-size: 1MB")).archives
    assert rules is not None
    assert (rules.entries, rules.entry_size) == (10, 1 << 20)
    (missing,) = refusals(section.format("enabled: true, max-number-of-entries: 10"))
    assert "needs kestra.security.zip-bomb-protection.max-entry-size" in missing
    assert settings(section.format("max-number-of-entries: 10")).archives is None
    assert "has no effect while" in warnings(section.format("max-number-of-entries: 10"))[0]
