"""The documented configuration of encryption and secrets, as it stands there: it loads, and says what it means.

None of its stores can be reached with what it says; who asks one for a secret is told so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from casemate.identifiers import MAIN, Namespace
from casemate.secrets import BackendFailed, Denied, Secrets, secrets_from
from casemate.settings import Service, load

BASE = """\
kestra:
  secret:
    type: azure-key-vault
    azure-key-vault:
      client-secret:
        tenant-id: "id"
        client-id: "id"
        client-secret: "secret"
    isolation:
      enabled: true
      denied-services:
        - EXECUTOR
"""
AWS = """\
kestra:
  secret:
    type: aws-secret-manager
    aws-secret-manager:
      access-key-id: mysuperaccesskey
      secret-key-id: mysupersecret-key
      session-token: mysupersessiontoken
      region: us-east-1
"""
GOOGLE = """\
kestra:
  secret:
    type: google-secret-manager
    google-secret-manager:
      project: gcp-project-id
      service-account: |
        <service-account JSON>
"""
ELASTICSEARCH = """\
kestra:
  secret:
    type: elasticsearch
    elasticsearch:
      secret: "a-secure-32-character-minimum-key"
"""
CLUSTER = """\
kestra:
  elasticsearch:
    client:
      http-hosts: http://127.0.0.1:1
"""
TAGS = (
    AWS
    + """\
      tags:
        application: kestra-production
"""
)
CACHE = """\
kestra:
  secret:
    cache:
      enabled: true
      maximum-size: 1000
      expire-after-write: 60s
"""


@contextmanager
def stores(*texts: str) -> Iterator[Secrets]:
    files = [(f"{number}.yml", text) for number, text in enumerate(texts)]
    secrets = secrets_from(load(files, {}).settings.secrets)
    try:
        yield secrets
    finally:
        secrets.close()


def test_services_that_are_denied_get_no_secret_and_others_hear_what_is_missing():
    with stores(BASE) as secrets:
        with pytest.raises(Denied, match="Access to secrets is denied for service EXECUTOR"):
            secrets.find(Service.EXECUTOR, MAIN, Namespace("a"), "K")
        with pytest.raises(BackendFailed, match="vault-name or key-vault-uri is needed"):
            secrets.find(Service.WORKER, MAIN, Namespace("a"), "K")


def test_what_stands_for_the_key_of_a_service_account_is_none():
    with stores(GOOGLE) as secrets, pytest.raises(BackendFailed, match="service-account is needed"):
        secrets.find(Service.WORKER, MAIN, Namespace("a"), "K")


@pytest.mark.parametrize("texts", [(AWS,), (TAGS,), (ELASTICSEARCH, CLUSTER)])
def test_stores_are_opened_without_asking_anybody(texts):
    with stores(*texts):
        pass


def test_a_cache_is_said_beside_a_store():
    settings = load([("0.yml", TAGS), ("1.yml", CACHE)], {}).settings.secrets
    assert settings.cache is not None
    assert (settings.cache.size, settings.cache.lifetime.total_seconds()) == (1000, 60)
    with stores(TAGS, CACHE):
        pass
