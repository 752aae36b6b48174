-- What Spark alone needs: the rows of `ampls-doctor fleet --format ndjson` in the folder `rows`, and lists as rows of their own.
-- views.sql comes next, then any of the questions.
SET TIME ZONE 'UTC';

CREATE OR REPLACE TEMPORARY VIEW fleet_lines (
  machine STRING, host STRING, resource_id STRING, cloud STRING, subscription STRING, region STRING,
  subnet STRING, `at` TIMESTAMP, as_of TIMESTAMP, run_id STRING, version STRING, redacted BOOLEAN,
  state STRING, errors BIGINT, warnings BIGINT, route STRING, servers ARRAY<STRING>, agents ARRAY<STRING>,
  cause STRING, code STRING, severity STRING, certainty STRING, owner STRING, title STRING,
  facts ARRAY<STRING>, outlier BOOLEAN
) USING json OPTIONS (path 'rows/*.ndjson');

CREATE OR REPLACE TEMPORARY VIEW fleet_rows AS
SELECT
  machine, host, resource_id, cloud, subscription, region, subnet, `at` AS seen_at, as_of, run_id, version, redacted,
  state, errors, warnings, route, servers, agents, cause, code, severity, certainty, owner, title, facts, outlier
FROM fleet_lines;

CREATE OR REPLACE TEMPORARY VIEW fleet_row_facts AS
SELECT machine, seen_at, as_of, run_id, cause, explode(facts) AS fact FROM fleet_rows;

CREATE OR REPLACE TEMPORARY VIEW fleet_row_servers AS
SELECT machine, seen_at, as_of, run_id, explode(servers) AS server FROM fleet_rows;
