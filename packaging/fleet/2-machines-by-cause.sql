-- Which machines does each cause break?
SELECT severity, code, cause, host, resource_id, subscription, region, subnet, seen_at, machine
FROM fleet_now
WHERE severity IN ('error', 'warning')
ORDER BY severity, code, cause, host, machine;
