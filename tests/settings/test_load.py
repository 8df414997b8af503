"""Where values come from, and what is said about those that mean nothing."""

from datetime import timedelta

import pytest

from casemate.errors import Refused
from casemate.settings import Loaded, Retries, SecretCache, Service, load


def loaded(*texts: str, **environ: str) -> Loaded:
    files = [("kestra.yml", texts[0]), *((f"more{n}.yml", text) for n, text in enumerate(texts[1:]))] if texts else []
    return load(files, environ)


def refused(*texts: str, **environ: str) -> list[str]:
    with pytest.raises(Refused) as caught:
        loaded(*texts, **environ)
    return [problem.printed() for problem in caught.value.problems]


def warned(*texts: str, **environ: str) -> list[str]:
    return [warning.printed() for warning in loaded(*texts, **environ).warnings]


@pytest.mark.parametrize("nothing", ["", "---\n", "# only a remark\n", "kestra:\n", "kestra:\n  url:\n"])
def test_nothing_configured_is_fine(nothing):
    assert loaded(nothing) == loaded()


def test_camel_case_kebab_case_and_dots_are_one_key():
    for spelling in ("javaSecurity: {forbiddenPaths: [/etc/]}", "java-security: {forbidden-paths: /etc}"):
        assert loaded(f"kestra: {{ee: {{{spelling}}}}}").settings.java_security.forbidden_paths == ("/etc",)
    assert loaded("kestra.url: http://here").settings.url == "http://here"


def test_two_spellings_of_one_key_are_refused_naming_both():
    text = "kestra:\n  server:\n    terminationGracePeriod: 1m\n    termination-grace-period: 2m\n"
    assert refused(text) == [
        "kestra.yml:4:5: kestra.server.termination-grace-period: is the same key as "
        "kestra.server.terminationGracePeriod (line 3) (Keep one of the two)"
    ]


def test_later_files_win_and_maps_grow():
    settings = loaded(
        "kestra: {url: one, variables: {globals: {a: 1, B-c: 2}}}", "kestra: {url: two, variables: {globals: {a: 3}}}"
    ).settings
    assert settings.url == "two"
    assert settings.variables.globals == {"a": 3, "B-c": 2}


def test_the_environment_wins_over_files():
    settings = loaded(
        "kestra: {url: one, ee: {java-security: {forbidden-paths: [/a]}}}",
        KESTRA_URL="two",
        KESTRA_EE_JAVA_SECURITY_FORBIDDEN_PATHS_0="/b",
        KESTRA_EE_JAVA_SECURITY_FORBIDDEN_PATHS_1="/c",
        KESTRA_VARIABLES_GLOBALS_DB_HOST="db",
        KESTRA_PLUGINS_DEFAULTS="[{type: a.b.C, values: {level: ERROR}}]",
        CASEMATE_WORKER_SLOTS="3",
    ).settings
    assert (settings.url, settings.worker.slots) == ("two", 3)
    assert settings.java_security.forbidden_paths == ("/b", "/c")
    assert settings.variables.globals == {"db-host": "db"}
    (law,) = settings.rules.configured
    assert (law.rule.where[0].value, law.rule.values) == ("a.b.C", {"level": "ERROR"})


def test_inline_configuration_is_one_more_file():
    assert loaded("kestra: {url: one}", KESTRA_CONFIGURATION="kestra: {url: two}").settings.url == "two"
    problems = refused(KESTRA_CONFIGURATION="kestra:\n  server: 1\n")
    assert problems == [
        "environment variable KESTRA_CONFIGURATION:2:3: kestra.server: is a section and has keys of its own"
    ]


def test_a_datasource_is_found_under_the_name_of_the_repository():
    text = "datasources: {postgres: {url: 'jdbc:x', username: me}}\nkestra: {repository: {type: postgres}}"
    database = loaded(text, DATASOURCES_POSTGRES_PASSWORD="hush").settings.database
    assert (database.type, database.url, database.username) == ("postgres", "jdbc:x", "me")
    assert database.password is not None
    assert database.password.reveal() == "hush"


def test_an_unknown_key_is_reported_with_the_nearest_known_one():
    assert warned("kestra:\n  sever:\n    basic-auth: {}\n") == [
        "kestra.yml:2:3: kestra.sever: is not a known key (Did you mean kestra.server?)"
    ]
    assert warned("casemate: {isolation: {visible-path: [/srv]}}") == [
        "kestra.yml:1:24: casemate.isolation.visible-path: is not a known key "
        "(Did you mean casemate.isolation.visible-paths?)"
    ]
    assert warned(KESTRA_SERVER_BASIC_AUTH_USER_NAME="x") == [
        "environment variable KESTRA_SERVER_BASIC_AUTH_USER_NAME: names no known key "
        "(Did you mean KESTRA_SERVER_BASIC_AUTH_USERNAME?)"
    ]


def test_a_variable_that_is_shown_to_flows_is_no_unknown_key():
    assert warned("kestra: {variables: {env-vars-prefix: KESTRA_}}", KESTRA_MY_OWN="x") == []


def test_a_variable_that_a_placeholder_names_is_no_unknown_key():
    assert warned("kestra: {url: 'https://${KESTRA_HOST_NAME}'}", KESTRA_HOST_NAME="flows.example.org") == []


def test_the_options_of_a_store_are_those_of_its_own_block():
    text = "kestra: {secret: {type: vault, readOnly: true, vault: {appRole: {roleId: r}}, encoding: raw, jdbc: {}}}"
    store = loaded(text).settings.secrets.store
    assert (store.kind, store.at, store.read_only) == ("vault", "kestra.secret.vault", True)
    assert store.options == {"appRole": {"roleId": "r"}}
    assert [said.split(":")[3] for said in warned(text)] == [" kestra.secret.jdbc", " kestra.secret.encoding"]


def test_the_options_of_a_store_may_stand_in_several_files():
    where = "kestra: {secret: {type: vault, vault: {address: a, appRole: {path: p, roleId: r}}}}"
    opened = "kestra: {secret: {vault: {app-role: {role-id: s, secretId: t}}}}"
    assert loaded(where, opened).settings.secrets.store.options == {
        "address": "a",
        "app-role": {"path": "p", "role-id": "s", "secretId": "t"},
    }


def test_the_encoding_of_variables_is_an_option_of_the_environment():
    assert loaded("kestra: {secret: {encoding: RAW}}").settings.secrets.store.options == {"encoding": "raw"}
    assert loaded("kestra: {secret: {type: env}}").settings == loaded().settings


def test_services_that_get_no_secrets_are_named_in_any_case():
    text = "kestra: {secret: {isolation: {enabled: ENABLED, denied-services: [executor, System-Worker]}}}"
    denied = loaded(text.replace("ENABLED", "true")).settings.secrets.denied
    assert denied == {Service.EXECUTOR, Service.SYSTEM_WORKER}
    assert loaded(text.replace("ENABLED", "false")).settings.secrets.denied == set()
    (said,) = warned(text.replace("ENABLED", "false"))
    assert said.endswith("denied-services: has no effect while kestra.secret.isolation.enabled is false")


def test_a_service_that_nobody_knows_is_refused():
    (problem,) = refused("kestra: {secret: {isolation: {enabled: true, denied-services: [EXECUTOR, WOKER]}}}")
    assert problem.endswith(
        "denied-services: there is no service WOKER "
        "(Choose from EXECUTOR, INDEXER, SCHEDULER, WEBSERVER, WORKER, SYSTEM_WORKER, CONTROLLER)"
    )


def test_a_cache_of_secrets_is_kept_when_it_is_asked_for():
    assert loaded().settings.secrets.cache is None
    enabled = loaded("kestra: {secret: {cache: {enabled: true}}}").settings.secrets.cache
    assert enabled == SecretCache(size=1000, lifetime=timedelta(seconds=60))
    for wrong in ("maximum-size: 0", "expire-after-write: 0s"):
        assert refused(f"kestra: {{secret: {{cache: {{enabled: true, {wrong}}}}}}}")


def test_retries_wait_longer_each_time():
    retries = loaded("kestra: {retries: {delay: 250ms}}").settings.secrets.retries
    assert retries == Retries(attempts=5, delay=timedelta(milliseconds=250), max_delay=None, multiplier=2.0)
    for wrong in ("attempts: 0", "multiplier: 0.5", "delay: PT-1S", "max-delay: PT0S"):
        assert refused(f"kestra: {{retries: {{{wrong}}}}}")


def test_a_block_of_options_that_is_none_is_refused():
    (problem,) = refused("kestra: {secret: {type: vault, vault: https://vault}}")
    assert problem == "kestra.yml:1:32: kestra.secret.vault: is a section and has keys of its own"


def test_a_key_without_effect_says_so():
    assert warned("kestra:\n  queue:\n    type: postgres\n") == [
        "kestra.yml:3:5: kestra.queue.type: has no effect: jobs are carried inside the process whatever this says"
    ]
    assert "has no effect: internal files are kept in a local folder" in warned("kestra: {storage: {type: s3}}")[0]
    assert len(warned("kestra: {storage: {type: s3, s3: {secretKey: x}}}")) == 2


def test_a_protection_that_does_not_stand_is_refused():
    (problem,) = refused("kestra: {storage: {isolation: {enabled: true, denied-services: [EXECUTOR]}}}")
    assert "asks for a protection that does not stand here yet" in problem


def test_a_protection_that_is_not_asked_for_is_no_problem():
    assert loaded("kestra: {secret: {isolation: {enabled: false}}, policies: []}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kestra: {server: {termination-grace-period: 5}}", "must be a duration such as"),
        ("kestra: {server: {termination-grace-period: [1m]}}", "must be a duration such as"),
        ("kestra: {server: {liveness: {enabled: maybe}}}", "must be true or false"),
        ("kestra: {server: {worker-task-restart-strategy: soon}}", "must be one of NEVER, IMMEDIATELY, AFTER"),
        ("kestra: {ee: {java-security: {forbidden-paths: {a: b}}}}", "must be a list of paths"),
        ("kestra: {variables: {globals: [1]}}", "must be a map"),
        ("casemate: {worker: {slots: 0}}", "must be a whole number of at least 1"),
        ("casemate: {worker: {slots: many}}", "must be a whole number"),
        ("casemate: {isolation: {limits: {memory: lots}}}", "must be a size such as"),
        ("casemate: {isolation: {required-level: none}}", "must be one of full, container"),
        ("kestra: {plugins: {defaults: {type: x}}}", "must be a list of entries, each with a type"),
        ("[1, 2]", "a configuration is a map of keys"),
    ],
)
def test_a_wrong_kind_of_value_is_refused(text, expected):
    (problem,) = refused(text)
    assert expected in problem
    assert problem.startswith("kestra.yml:1:")


def test_a_refused_value_is_not_repeated():
    (problem,) = refused(CASEMATE_WORKER_SLOTS="hunter2")
    assert problem == "environment variable CASEMATE_WORKER_SLOTS: CASEMATE_WORKER_SLOTS: must be a whole number"


def test_every_problem_is_told_at_once():
    problems = refused("kestra:\n  url: ${X}\n  server: {termination-grace-period: 5}\n  url: twice\n")
    assert [problem.split(": ")[0] for problem in problems] == ["kestra.yml:4:3", "kestra.yml:2:8", "kestra.yml:3:12"]


def test_broken_yaml_is_one_problem_with_its_place():
    (problem,) = refused("kestra: {url: ${HOST}}")
    assert problem.startswith("kestra.yml:1:")
    assert 'a placeholder needs quotes: "${NAME}"' in problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "kestra:\n  url: *u\n",
            "2:8: kestra.url: Illegal configuration: *u is an alias, and aliases are not followed",
        ),
        ("kestra:\n  <<: {url: x}\n", "2:3: kestra.<<: Illegal configuration: merge keys (<<) are not followed"),
        ("kestra:\n\turl: x\n", "2:1: Illegal configuration: while scanning"),
        ("kestra:\n  url: x\n---\nkestra:\n  url: y\n", "3:1: a second document begins here"),
        ("kestra: {url: x}\nkestra: {url: y}\n", "2:1: kestra: Illegal configuration: Duplicate field 'kestra'"),
        ("kestra: {url: [x]}\n", "1:10: kestra.url: must be text"),
        (
            "casemate: {isolation: {limits: {memory: 9999999TB}}}",
            "1:33: casemate.isolation.limits.memory: must be a size",
        ),
        ("kestra: {retries: {multiplier: NaN}}", "1:20: kestra.retries.multiplier: must be a number"),
    ],
)
def test_what_would_be_misread_is_refused_at_its_place(text, expected):
    (problem,) = refused(text)
    assert problem.startswith(f"kestra.yml:{expected}"), problem


def test_quoted_texts_may_look_like_aliases():
    assert loaded("kestra: {url: '*u'}").settings.url == "*u"
    assert loaded("---\n# only\nkestra: {url: x}\n---\n# nothing more\n").settings.url == "x"


def test_secrets_in_elasticsearch_are_in_the_cluster_that_is_named_for_all():
    cluster = "elasticsearch: {client: {httpHosts: [https://a, https://b]}, defaults: {indice-prefix: uat}}"
    text = f"kestra: {{secret: {{type: elasticsearch, elasticsearch: {{secret: s}}}}, {cluster}}}"
    options = loaded(text).settings.secrets.store.options
    assert options == {"secret": "s", "client": {"httpHosts": ["https://a", "https://b"]}, "indice-prefix": "uat"}
    assert warned(text) == []
    own = text.replace("{secret: s}", "{secret: s, client: {http-hosts: https://own}}")
    assert loaded(own).settings.secrets.store.options["client"] == {"http-hosts": "https://own"}


def test_a_cluster_without_secrets_in_it_has_no_effect():
    text = (
        "kestra: {elasticsearch: {client: {http-hosts: https://a}, defaults: {indice-prefix: b}, indices: {flows: c}}}"
    )
    assert {said.split(":")[3].removeprefix(" kestra.elasticsearch.") for said in warned(text)} == {
        "client",
        "defaults.indice-prefix",
        "indices",
    }
