"""The lists of web addresses as a user has them: a real server, real walls, and every way around that is known."""

from __future__ import annotations

import json
from pathlib import Path

from tests.running import casemate
from tests.website import website

FLOW = """
id: asks
namespace: tests.product
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: %s
    tasks:
      - {id: ask, type: io.kestra.plugin.core.http.Request, uri: "{{ taskrun.value }}", allowFailure: true}
"""
CONFIGURATION = """
casemate: {isolation: {egress: {allow: [127.0.0.1/32]}}}
kestra: {tasks: {http: {denied-list: ["%s/closed", "http://169.254.169.254"]}}}
"""


def test_no_spelling_and_no_redirect_is_a_way_around_the_denied_list(tmp_path: Path):
    with website() as site:
        ways_around = [
            f"{site.url}/closed",
            f"http://2130706433:{site.port}/closed",
            f"http://0x7f.1:{site.port}/%63losed",
            f"http://[::ffff:127.0.0.1]:{site.port}/x/../closed",
            f"{site.url}/to?{site.url}/closed",
            f"{site.url}/to?http://169.254.169.254/latest",
            "http://2852039166/latest",
        ]
        flow, configuration = tmp_path / "flow.yaml", tmp_path / "kestra.yml"
        flow.write_text(FLOW % json.dumps([*ways_around, f"{site.url}/open"]))
        configuration.write_text(CONFIGURATION % site.url)
        ended = casemate("run", flow, "-c", configuration)
    told = ended.stdout + ended.stderr
    assert told.count("is in the configured denied list (kestra.tasks.http.denied-list).") == len(ways_around), told
    assert [path for path in site.asked if not path.startswith("/to?")] == ["/open"]
