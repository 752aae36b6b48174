-- What changed since the moment of views.sql: machines that are better or worse, that appeared or vanished?
SELECT
  CASE
    WHEN was.machine IS NULL THEN 'appeared'
    WHEN now.machine IS NULL THEN 'vanished'
    WHEN now.badness < was.badness THEN 'better'
    ELSE 'worse'
  END AS what,
  coalesce(now.host, was.host) AS host, was.state AS before_state, now.state AS now_state,
  coalesce(now.resource_id, was.resource_id) AS resource_id, coalesce(now.machine, was.machine) AS machine
FROM (SELECT * FROM fleet_states WHERE side = 'before') AS was
FULL OUTER JOIN (SELECT * FROM fleet_states WHERE side = 'now') AS now ON now.machine = was.machine
WHERE was.machine IS NULL OR now.machine IS NULL OR now.badness <> was.badness
ORDER BY what, host, machine;
