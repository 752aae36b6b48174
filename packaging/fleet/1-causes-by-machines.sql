-- Which few causes break how many machines, and whose work is each?
SELECT
  severity, code, min(title) AS title, min(owner) AS owner, count(DISTINCT machine) AS machines,
  round(CAST(count(DISTINCT machine) AS DOUBLE) * 100 / (SELECT count(DISTINCT machine) FROM fleet_now), 1) AS percent,
  cause
FROM fleet_now
WHERE severity IN ('error', 'warning')
GROUP BY severity, code, cause
ORDER BY severity, machines DESC, cause;
