-- What DuckDB alone needs: the rows of `ampls-doctor fleet --format ndjson` in the folder `rows`, and lists as rows of their own.
-- views.sql comes next, then any of the questions.
CREATE OR REPLACE TEMPORARY VIEW fleet_rows AS
SELECT
  machine, host, resource_id, cloud, subscription, region, subnet, "at" AS seen_at, as_of, run_id, version, redacted,
  state, errors, warnings, route, servers, agents, cause, code, severity, certainty, owner, title, facts, outlier
FROM read_json('rows/*.ndjson', format = 'newline_delimited', columns = {
  machine: 'VARCHAR', host: 'VARCHAR', resource_id: 'VARCHAR', cloud: 'VARCHAR', subscription: 'VARCHAR', region: 'VARCHAR',
  subnet: 'VARCHAR', "at": 'TIMESTAMP', as_of: 'TIMESTAMP', run_id: 'VARCHAR', version: 'VARCHAR', redacted: 'BOOLEAN',
  state: 'VARCHAR', errors: 'BIGINT', warnings: 'BIGINT', route: 'VARCHAR', servers: 'VARCHAR[]', agents: 'VARCHAR[]',
  cause: 'VARCHAR', code: 'VARCHAR', severity: 'VARCHAR', certainty: 'VARCHAR', owner: 'VARCHAR', title: 'VARCHAR',
  facts: 'VARCHAR[]', outlier: 'BOOLEAN'
});

CREATE OR REPLACE TEMPORARY VIEW fleet_row_facts AS
SELECT machine, seen_at, as_of, run_id, cause, unnest(facts) AS fact FROM fleet_rows;

CREATE OR REPLACE TEMPORARY VIEW fleet_row_servers AS
SELECT machine, seen_at, as_of, run_id, unnest(servers) AS server FROM fleet_rows;
