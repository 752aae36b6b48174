-- Which agents are too old for a private link, and on how many machines?
SELECT
  coalesce(agents.value, 'not named') AS agent, coalesce(versions.value, 'not named') AS version,
  coalesce(minimums.value, 'not named') AS minimum, count(DISTINCT old.machine) AS machines
FROM (SELECT DISTINCT machine, cause FROM fleet_now WHERE code = 'AGT001') AS old
LEFT JOIN (SELECT * FROM fleet_facts WHERE name = 'agent') AS agents
  ON agents.machine = old.machine AND agents.cause = old.cause
LEFT JOIN (SELECT * FROM fleet_facts WHERE name = 'version') AS versions
  ON versions.machine = old.machine AND versions.cause = old.cause
LEFT JOIN (SELECT * FROM fleet_facts WHERE name = 'minimum') AS minimums
  ON minimums.machine = old.machine AND minimums.cause = old.cause
GROUP BY agents.value, versions.value, minimums.value
ORDER BY machines DESC, agent, version, minimum;
