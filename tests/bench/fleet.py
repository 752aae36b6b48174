"""The answer of `fleet` over full reports, asked of DuckDB: python fleet.py REPORTS.ndjson [PICTURE.json]

Of the newest report of each machine the roots, each with the facts that machines share; per root its machines, those with no
other fault, what it affects, regions, subnets, subscriptions, agents, three machines, first and last seen; what servers are
used; how many machines are well. With the picture that `fleet --by code --format json` made of the same reports, the machines of
every code and the machines in every state must be the same.
"""

import json
import sys

import duckdb

c = duckdb.connect(config={"threads": 2})
c.execute("""
CREATE TEMP TABLE run AS
  SELECT * EXCLUDE place FROM (
    SELECT coalesce(host.azure.vm_id, host.azure.resource_id, host.name) AS machine, run.id AS run_id, run.started_at AS seen_at, *,
      row_number() OVER (PARTITION BY machine ORDER BY seen_at DESC, run_id DESC) AS place
    FROM read_json(?, format = 'newline_delimited', maximum_object_size = 33554432, columns = {
      schema: 'INTEGER', tool: 'STRUCT(version VARCHAR)',
      run: 'STRUCT(id VARCHAR, started_at TIMESTAMP, stopped VARCHAR)',
      host: 'STRUCT(name VARCHAR, azure STRUCT(cloud VARCHAR, region VARCHAR, vm_id VARCHAR, resource_id VARCHAR, subnet VARCHAR))',
      verdict: 'STRUCT(route VARCHAR, health VARCHAR)',
      sources: 'STRUCT(source VARCHAR, outcome VARCHAR)[]',
      agents: 'STRUCT(kind VARCHAR, version VARCHAR)[]',
      servers: 'STRUCT(address VARCHAR, roles VARCHAR[])[]',
      findings: 'STRUCT(code VARCHAR, severity VARCHAR, certainty VARCHAR, owner VARCHAR, caused_by VARCHAR, endpoints VARCHAR[], args MAP(VARCHAR, JSON))[]'
    })) WHERE place = 1""", [sys.argv[1]])
c.execute("""
CREATE TEMP TABLE root AS
  SELECT machine, host, seen_at, agents, finding, finding.code AS code, finding.severity AS severity,
    array_to_string(list_sort(list_transform(
      list_filter(map_entries(finding.args), lambda it: it.key IN ('server', 'zone', 'agent', 'version', 'minimum', 'proxy', 'issuer')),
      lambda it: it.key || '=' || CAST(it.value AS VARCHAR))), ' ') AS fact
  FROM (SELECT machine, host, seen_at, agents, unnest(findings) AS finding FROM run) WHERE finding.caused_by IS NULL""")
for question in [
    """SELECT code, severity, fact, count(DISTINCT machine) AS machines, min(seen_at), max(seen_at), list(host.name ORDER BY host.name)[:3],
      histogram(host.azure.region), histogram(host.azure.subnet), histogram(split_part(host.azure.resource_id, '/', 3)),
      any_value(finding.owner), min(finding.certainty), histogram(agents[1].kind || ' ' || coalesce(agents[1].version, ''))
    FROM root GROUP BY code, severity, fact ORDER BY severity, machines DESC""",
    """SELECT code, fact, count(*) FROM (
      SELECT machine, min(code) AS code, min(fact) AS fact FROM root WHERE severity <> 'info' GROUP BY machine HAVING count(*) = 1)
    GROUP BY code, fact""",
    """SELECT code, fact, endpoint, count(DISTINCT machine) FROM (
      SELECT machine, code, fact, unnest(finding.endpoints) AS endpoint FROM root) GROUP BY ALL""",
    """SELECT server, count(DISTINCT machine) FROM (SELECT machine, unnest(servers).address AS server FROM run) GROUP BY server""",
]:
    c.execute(question).fetchall()
states = dict(c.execute("SELECT verdict.health, count(*) FROM run GROUP BY 1").fetchall())
codes = dict(c.execute("SELECT code, count(DISTINCT machine) FROM root GROUP BY 1").fetchall())

if len(sys.argv) > 2:
    with open(sys.argv[2], encoding="utf-8") as file:
        picture = json.load(file)
    ours = {slice["value"]: slice["machines"] for slice in picture["by"]["slices"]}
    # A slice beyond those that are shown is in none of them.
    assert ours and all(codes.get(code) == machines for code, machines in ours.items()), (ours, codes)
    assert {state: picture["machines"][state] for state in states} == states, (picture["machines"], states)
