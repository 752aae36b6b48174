-- What the questions ask, the same for every engine. A machine has one row a cause in each picture, and one row without a cause
-- where it has none. Its newest run counts, and of one run the newest picture.

-- Pictures up to this moment are "before", later ones "now"; questions 1, 2, 4 and 5 are about now. Change it to any other moment.
CREATE OR REPLACE TEMPORARY VIEW fleet_moment AS
SELECT max(as_of) - INTERVAL 1 DAY AS moment FROM fleet_rows;

CREATE OR REPLACE TEMPORARY VIEW fleet_newest AS
SELECT DISTINCT
  side, machine, host, resource_id, subscription, region, subnet, seen_at, as_of, run_id, state, errors, warnings, route,
  cause, code, severity, owner, title
FROM (
  SELECT *, rank() OVER (PARTITION BY side, machine ORDER BY seen_at DESC, run_id DESC, as_of DESC) AS place
  FROM (
    SELECT fleet_rows.*, CASE WHEN as_of <= moment THEN 'before' ELSE 'now' END AS side
    FROM fleet_rows CROSS JOIN fleet_moment
  ) AS sided
) AS ranked
WHERE place = 1;

CREATE OR REPLACE TEMPORARY VIEW fleet_now AS
SELECT * FROM fleet_newest WHERE side = 'now';

-- How each machine is, before and now: the larger the number, the worse. A machine has at most 64 causes.
CREATE OR REPLACE TEMPORARY VIEW fleet_states AS
SELECT DISTINCT
  side, machine, host, resource_id, state,
  CASE state WHEN 'ok' THEN 0 WHEN 'warning' THEN 1 WHEN 'error' THEN 2 ELSE 3 END * 10000 + errors * 100 + warnings AS badness
FROM fleet_newest;

CREATE OR REPLACE TEMPORARY VIEW fleet_facts AS
SELECT DISTINCT
  fleet_now.machine, fleet_now.cause, fleet_now.code, fleet_now.severity,
  substring(fact, 1, position('=' IN fact) - 1) AS name, substring(fact, position('=' IN fact) + 1) AS value
FROM fleet_now JOIN fleet_row_facts AS facts
  ON facts.machine = fleet_now.machine AND facts.run_id = fleet_now.run_id AND facts.as_of = fleet_now.as_of
  AND facts.cause = fleet_now.cause;

CREATE OR REPLACE TEMPORARY VIEW fleet_servers AS
SELECT DISTINCT fleet_now.machine, server
FROM fleet_now JOIN fleet_row_servers AS servers
  ON servers.machine = fleet_now.machine AND servers.run_id = fleet_now.run_id AND servers.as_of = fleet_now.as_of;
