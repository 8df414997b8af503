"""AWS of the tests' own: moto's server on loopback, which checks signatures and policies, and keeps all in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import boto3
import requests
from botocore.config import Config
from moto.server import ThreadedMotoServer

REGION = "eu-west-3"
ACCOUNT = "123456789012"

MANAGING = (
    *(
        f"secretsmanager:{action}"
        for action in (
            "CreateSecret",
            "DeleteSecret",
            "DescribeSecret",
            "GetSecretValue",
            "ListSecrets",
            "PutSecretValue",
            "RestoreSecret",
            "TagResource",
            "UntagResource",
            "UpdateSecret",
        )
    ),
    *(
        f"ssm:{action}"
        for action in (
            "AddTagsToResource",
            "DeleteParameter",
            "DescribeParameters",
            "GetParameter",
            "ListTagsForResource",
            "PutParameter",
            "RemoveTagsFromResource",
        )
    ),
)
"""What docs/how-to/secret-backends.md asks for, so that it cannot be too little."""


@dataclass(frozen=True)
class Login:
    """Who asks."""

    access: str
    secret: str

    @property
    def options(self) -> dict[str, str]:
        """As a configuration says it."""
        return {"access-key-id": self.access, "secret-key-id": self.secret}


WRONG = Login("AKIAIOSFODNN7EXAMPLE", "this/secret/key/is/wrong")


@dataclass(frozen=True)
class Aws:
    """A running server; `administrator` may do everything."""

    address: str
    administrator: Login

    def client(self, service: str) -> Any:
        """A client of the administrator's, made once."""
        return _client(self.address, service, self.administrator)

    def user(self, name: str, actions: Sequence[str]) -> Login:
        """A new user who may do so much."""
        return _user(self._iam, name, actions)

    def role(self, name: str, actions: Sequence[str]) -> str:
        """A new role that everybody may assume; its ARN."""
        anybody = _policy(["sts:AssumeRole"])
        arn: str = self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=anybody)["Role"]["Arn"]
        self._iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=_policy(actions))
        return arn

    @cached_property
    def _iam(self) -> Any:
        return self.client("iam")


@cache
def running_aws() -> Aws:
    """The server of this test run, started when it is first asked for; it ends with the process."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    administrator = _user(_client(address, "iam", WRONG), "administrator", ["*"])
    # From now on it asks who is there.
    requests.post(f"{address}/moto-api/reset-auth", data="0", timeout=60).raise_for_status()
    return Aws(address, administrator)


def _user(iam: Any, name: str, actions: Sequence[str]) -> Login:
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=_policy(actions))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return Login(made["AccessKeyId"], made["SecretAccessKey"])


def _policy(actions: Sequence[str]) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@cache
def _client(address: str, service: str, login: Login) -> Any:
    # Each session would read the descriptions of all services anew.
    session = boto3.Session(login.access, login.secret, region_name=REGION)
    return session.client(service, endpoint_url=address, config=Config(retries={"total_max_attempts": 1}))
