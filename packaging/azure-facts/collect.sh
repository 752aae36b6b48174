#!/usr/bin/env bash
# What Azure holds around Azure Monitor's private links, as one file for `ampls-doctor --facts`.
#
# Run it in Azure Cloud Shell, or wherever `az` is signed in as somebody who may read the networks, the private DNS zones and
# the private link scopes (Reader). It only reads: Resource Graph over all subscriptions, then one list of each scope, private
# endpoint, zone and ruleset. Tags, names of people, keys and settings are not taken.
#
#   ./collect.sh [FILE]        FILE is azure-facts.json where none is given
set -euo pipefail
umask 077

out=${1:-azure-facts.json}
for tool in az jq; do
  command -v "$tool" > /dev/null || { echo "collect.sh: $tool is not here; Azure Cloud Shell has it" >&2; exit 3; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
arm=$(az cloud show --query endpoints.resourceManager -o tsv)
arm=${arm%/}
: > "$work/children"
: > "$work/not-read"

# Every row of a Resource Graph query, a line each.
graph() {
  local skip=""
  while :; do
    jq -n --arg query "$1" --arg skip "$skip" \
      '{query: $query, options: ({resultFormat: "objectArray", "$top": 1000} + if $skip == "" then {} else {"$skipToken": $skip} end)}' \
      > "$work/body"
    az rest --method post --url "$arm/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01" \
      --headers Content-Type=application/json --body "@$work/body" -o json > "$work/page" || return 1
    jq -c '.data[]' "$work/page"
    skip=$(jq -r '."$skipToken" // empty' "$work/page")
    [ -n "$skip" ] || return 0
  done
}

# Every item of the list at a path, kept as the children of a resource; what cannot be read is named in the file.
children() {
  local of=$1 list=$2 version=$3 what=$4
  local url="$arm$of/$list?api-version=$version"
  : > "$work/items"
  while [ -n "$url" ]; do
    # Only Resource Manager is asked, whatever a page says.
    case $url in "$arm"/*) ;; *) break ;; esac
    if ! az rest --method get --url "$url" -o json > "$work/page" 2> "$work/error"; then
      printf '%s of %s\n' "$what" "${of##*/}" >> "$work/not-read"
      return 0
    fi
    jq -c '.value[]' "$work/page" >> "$work/items"
    url=$(jq -r '.nextLink // empty' "$work/page")
  done
  jq -c -s --arg of "$of" --arg list "$list" '{of: ($of | ascii_downcase), list: $list, items: .}' "$work/items" >> "$work/children"
}

# The ids of all rows of a type; zones only where Azure Monitor's records are.
ids() {
  jq -r --arg type "$1" "select((.type | ascii_downcase) == \$type) | ${2:-.} | .id" "$work/rows"
}

echo "collect.sh: asking Resource Graph" >&2
graph "resources
| where type in~ ('microsoft.insights/privatelinkscopes', 'microsoft.insights/datacollectionendpoints', 'microsoft.operationalinsights/workspaces',
  'microsoft.network/privateendpoints', 'microsoft.network/networkinterfaces', 'microsoft.network/virtualnetworks', 'microsoft.network/routetables',
  'microsoft.network/privatednszones', 'microsoft.network/privatednszones/virtualnetworklinks',
  'microsoft.network/dnsresolvers/inboundendpoints', 'microsoft.network/dnsforwardingrulesets')
| where type !startswith 'microsoft.network/privatednszones' or id contains '/privatednszones/privatelink.'
| project id, name, type, location, properties
| order by id asc" > "$work/rows"
graph "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' | project id, subscriptionId | order by id asc" > "$work/subscriptions"
if ! graph "insightsresources
| where type =~ 'microsoft.insights/datacollectionruleassociations'
| project id, name, properties
| order by id asc" > "$work/associations"; then
  rm -f "$work/associations"
  echo "associations of data collection rules" >> "$work/not-read"
fi
# Resource Graph keeps 14 days: https://learn.microsoft.com/azure/governance/resource-graph/changes/get-resource-changes
if ! graph "resourcechanges
| extend at = todatetime(properties.changeAttributes.timestamp), type = tolower(tostring(properties.targetResourceType))
| where at > ago(14d)
| where type startswith 'microsoft.network/privatednszones' or type startswith 'microsoft.network/privateendpoints'
  or type startswith 'microsoft.network/virtualnetworks' or type startswith 'microsoft.network/routetables'
  or type startswith 'microsoft.network/dnsforwardingrulesets' or type startswith 'microsoft.insights/privatelinkscopes'
  or type startswith 'microsoft.insights/datacollectionruleassociations'
| project id, properties = pack('targetResourceId', properties.targetResourceId, 'changeType', properties.changeType,
  'changeAttributes', pack('timestamp', properties.changeAttributes.timestamp))
| order by id asc" > "$work/changes"; then
  : > "$work/changes"
  echo "changes of the last 14 days" >> "$work/not-read"
fi

echo "collect.sh: reading scopes, private endpoints, zones and rulesets" >&2
for id in $(ids microsoft.insights/privatelinkscopes); do
  children "$id" scopedResources 2021-07-01-preview "what the scope holds"
done
scoped='select([.properties.privateLinkServiceConnections[]?, .properties.manualPrivateLinkServiceConnections[]?]
  | any(.properties.privateLinkServiceId // "" | ascii_downcase | contains("/microsoft.insights/privatelinkscopes/")))'
for id in $(ids microsoft.network/privateendpoints "$scoped"); do
  children "$id" privateDnsZoneGroups 2023-11-01 "zone groups"
done
monitored='select(.name | ascii_downcase
  | test("^privatelink[.]((adx[.])?monitor|oms[.]opinsights|ods[.]opinsights|agentsvc[.]azure-automation|blob[.]core)[.]"))'
for id in $(ids microsoft.network/privatednszones "$monitored"); do
  children "$id" A 2024-06-01 "records"
  children "$id" AAAA 2024-06-01 "records"
done
for id in $(ids microsoft.network/dnsforwardingrulesets); do
  children "$id" forwardingRules 2022-07-01 "rules"
  children "$id" virtualNetworkLinks 2022-07-01 "links"
done

associated=true
if [ ! -e "$work/associations" ]; then
  associated=false
  : > "$work/associations"
fi
jq -n --arg at "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --argjson associated "$associated" --rawfile not_read "$work/not-read" \
  --slurpfile rows "$work/rows" --slurpfile subscriptions "$work/subscriptions" --slurpfile children "$work/children" \
  --slurpfile associations "$work/associations" --slurpfile changes "$work/changes" '
def of_type($type): $rows[] | select((.type | ascii_downcase) == $type);
def key: ascii_downcase;
# null where the list could not be read: that is not an empty list.
def list($of; $list): [$children[] | select(.of == ($of | key) and .list == $list) | .items] | first // null;
def items($of; $list): list($of; $list) // [];
def in_scope: [.properties.privateLinkServiceConnections[]?, .properties.manualPrivateLinkServiceConnections[]?]
  | map(select(.properties.privateLinkServiceId // "" | key | contains("/microsoft.insights/privatelinkscopes/"))) | first;
[of_type("microsoft.network/privateendpoints") | select(in_scope) | .id | key] as $endpoints
| {
  kind: "azure-facts", schema: 1, collected_at: $at,
  subscriptions: [$subscriptions[].subscriptionId],
  not_read: ($not_read | split("\n") | map(select(. != "")) | unique),
  scopes: [of_type("microsoft.insights/privatelinkscopes") | {
    id, ingestion: .properties.accessModeSettings.ingestionAccessMode, queries: .properties.accessModeSettings.queryAccessMode,
    resources: (list(.id; "scopedResources") | if . then map(.properties.linkedResourceId) else null end)}],
  endpoints: [of_type("microsoft.network/privateendpoints") | . as $endpoint | in_scope | select(.) | {
    id: $endpoint.id, scope: .properties.privateLinkServiceId, subnet: $endpoint.properties.subnet.id,
    status: .properties.privateLinkServiceConnectionState.status,
    zone_groups: [items($endpoint.id; "privateDnsZoneGroups")[] | {
      name, zones: [.properties.privateDnsZoneConfigs[]?.properties.privateDnsZoneId]}]}],
  zones: [of_type("microsoft.network/privatednszones")
    | select(.name | key | test("^privatelink[.]((adx[.])?monitor|oms[.]opinsights|ods[.]opinsights|agentsvc[.]azure-automation|blob[.]core)[.]"))
    | . as $zone | {
    id,
    links: [of_type("microsoft.network/privatednszones/virtualnetworklinks") | select(.id | key | startswith(($zone.id | key) + "/")) | {
      name: (.name | split("/") | last), network: .properties.virtualNetwork.id, policy: .properties.resolutionPolicy}],
    records: (list(.id; "A") as $a | list(.id; "AAAA") as $aaaa | if $a then [($a + ($aaaa // []))[] | {
      name, addresses: [.properties.aRecords[]?.ipv4Address, .properties.aaaaRecords[]?.ipv6Address]}] else null end)}],
  rulesets: [of_type("microsoft.network/dnsforwardingrulesets") | {
    id,
    rules: [items(.id; "forwardingRules")[] | {
      domain: .properties.domainName, targets: [.properties.targetDnsServers[]?.ipAddress],
      enabled: (.properties.forwardingRuleState != "Disabled")}],
    networks: [items(.id; "virtualNetworkLinks")[].properties.virtualNetwork.id]}],
  inbound: [of_type("microsoft.network/dnsresolvers/inboundendpoints") | . as $inbound
    | .properties.ipConfigurations[]? | {id: $inbound.id, address: .privateIpAddress, subnet: .subnet.id}],
  networks: [of_type("microsoft.network/virtualnetworks") | {
    id, region: .location, dns: (.properties.dhcpOptions.dnsServers // []),
    subnets: [.properties.subnets[]? | {
      name, prefixes: (.properties.addressPrefixes // [.properties.addressPrefix | select(.)]),
      outbound: .properties.defaultOutboundAccess, nat: (.properties.natGateway.id != null), route_table: .properties.routeTable.id}]}],
  route_tables: [of_type("microsoft.network/routetables") | {
    id, routes: [.properties.routes[]? | {
      prefix: .properties.addressPrefix, next_hop: .properties.nextHopType, address: .properties.nextHopIpAddress}]}],
  interfaces: [of_type("microsoft.network/networkinterfaces")
    | select(.properties.virtualMachine.id or ((.properties.privateEndpoint.id // "" | key) as $id | $endpoints | index($id))) | {
    id, machine: .properties.virtualMachine.id, endpoint: .properties.privateEndpoint.id,
    configurations: [.properties.ipConfigurations[]? | {
      address: .properties.privateIPAddress, subnet: .properties.subnet.id,
      names: (.properties.privateLinkConnectionProperties.fqdns // [])}]}],
  workspaces: [of_type("microsoft.operationalinsights/workspaces") | {
    id, workspace: .properties.customerId, ingestion: .properties.publicNetworkAccessForIngestion,
    queries: .properties.publicNetworkAccessForQuery, ingestion_status: .properties.workspaceCapping.dataIngestionStatus}],
  collection_endpoints: [of_type("microsoft.insights/datacollectionendpoints") | {
    id, region: .location,
    urls: [.properties | .configurationAccess.endpoint, .logsIngestion.endpoint, .metricsIngestion.endpoint | select(.)]}],
  associations: (if $associated then [$associations[] | {
    machine: (.id | split("/providers/microsoft.insights/datacollectionruleassociations/"; "i") | first), name,
    rule: .properties.dataCollectionRuleId, endpoint: .properties.dataCollectionEndpointId}] else null end),
  changes: [$changes[].properties | {at: .changeAttributes.timestamp, what: .changeType, id: .targetResourceId}]
}' > "$work/facts"
mv "$work/facts" "$out"
missing=$(jq -r '.not_read | length' "$out")
echo "collect.sh: $out written$([ "$missing" = 0 ] || echo "; not read: $missing lists, named in it")" >&2
