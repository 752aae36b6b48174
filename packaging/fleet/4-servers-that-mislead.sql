-- Which DNS servers give answers that lead machines wrong, how many of the machines that use them? Servers that are silent
-- (DNS008), fail (DNS009), drop TCP (DNS010) or are slow (DNS016) answer nothing wrong: question 1 has them.
SELECT
  facts.value AS server, facts.code, facts.severity, count(DISTINCT facts.machine) AS misled,
  coalesce(max(users.machines), 0) AS used_by
FROM fleet_facts AS facts
LEFT JOIN (SELECT server, count(DISTINCT machine) AS machines FROM fleet_servers GROUP BY server) AS users
  ON users.server = facts.value
WHERE facts.name = 'server' AND facts.code LIKE 'DNS%' AND facts.code NOT IN ('DNS008', 'DNS009', 'DNS010', 'DNS016')
  AND facts.severity IN ('error', 'warning')
GROUP BY facts.value, facts.code, facts.severity
ORDER BY misled DESC, server, code, severity;
