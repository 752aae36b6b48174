# What Azure holds around Azure Monitor's private links, as one file for `ampls-doctor --facts`.
#
# Run it in Azure Cloud Shell (PowerShell), or wherever `az` is signed in as somebody who may read the networks, the private
# DNS zones and the private link scopes (Reader). It only reads: Resource Graph over all subscriptions, then one list of each
# scope, private endpoint, zone and ruleset. Tags, names of people, keys and settings are not taken.
#
#   ./collect.ps1 [-Out FILE]
param([string]$Out = 'azure-facts.json')
$ErrorActionPreference = 'Stop'

$arm = (az cloud show --query endpoints.resourceManager -o tsv).TrimEnd('/')
if ($LASTEXITCODE -ne 0) { throw 'az is not here or not signed in; Azure Cloud Shell has it' }
$notRead = [System.Collections.Generic.List[string]]::new()

# Every row of a Resource Graph query; $null where it is refused.
function Get-Rows([string]$Query) {
    $rows = [System.Collections.Generic.List[object]]::new()
    $skip = $null
    do {
        $options = @{ resultFormat = 'objectArray'; '$top' = 1000 }
        if ($skip) { $options['$skipToken'] = $skip }
        $body = New-TemporaryFile
        try {
            @{ query = $Query; options = $options } | ConvertTo-Json -Depth 5 | Set-Content -LiteralPath $body -Encoding ascii
            $page = az rest --method post --url "$arm/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01" --headers Content-Type=application/json --body "@$body" -o json
            if ($LASTEXITCODE -ne 0) { return $null }
        } finally {
            Remove-Item -LiteralPath $body
        }
        $page = ($page -join "`n") | ConvertFrom-Json
        foreach ($row in $page.data) { $rows.Add($row) }
        $skip = $page.'$skipToken'
    } while ($skip)
    return , $rows.ToArray()
}

# Every item of the list at a path; $null where it cannot be read, which is then named in the file.
function Get-Children([string]$Of, [string]$List, [string]$Version, [string]$What) {
    $items = [System.Collections.Generic.List[object]]::new()
    $url = "$arm$Of/${List}?api-version=$Version"
    # Only Resource Manager is asked, whatever a page says.
    while ($url -and $url.StartsWith("$arm/")) {
        $page = az rest --method get --url $url -o json 2>$null
        if ($LASTEXITCODE -ne 0) {
            $notRead.Add("$What of $($Of.Split('/')[-1])")
            return $null
        }
        $page = ($page -join "`n") | ConvertFrom-Json
        foreach ($item in $page.value) { $items.Add($item) }
        $url = $page.nextLink
    }
    return , $items.ToArray()
}

Write-Host 'collect.ps1: asking Resource Graph'
$rows = Get-Rows @"
resources
| where type in~ ('microsoft.insights/privatelinkscopes', 'microsoft.insights/datacollectionendpoints', 'microsoft.operationalinsights/workspaces',
  'microsoft.network/privateendpoints', 'microsoft.network/networkinterfaces', 'microsoft.network/virtualnetworks', 'microsoft.network/routetables',
  'microsoft.network/privatednszones', 'microsoft.network/privatednszones/virtualnetworklinks',
  'microsoft.network/dnsresolvers/inboundendpoints', 'microsoft.network/dnsforwardingrulesets')
| where type !startswith 'microsoft.network/privatednszones' or id contains '/privatednszones/privatelink.'
| project id, name, type, location, properties
| order by id asc
"@
if ($null -eq $rows) { throw 'Resource Graph cannot be asked' }
$subscriptions = Get-Rows "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' | project id, subscriptionId | order by id asc"
$associations = Get-Rows @"
insightsresources
| where type =~ 'microsoft.insights/datacollectionruleassociations'
| project id, name, properties
| order by id asc
"@
if ($null -eq $associations) { $notRead.Add('associations of data collection rules') }
# Resource Graph keeps 14 days: https://learn.microsoft.com/azure/governance/resource-graph/changes/get-resource-changes
$changes = Get-Rows @"
resourcechanges
| extend at = todatetime(properties.changeAttributes.timestamp), type = tolower(tostring(properties.targetResourceType))
| where at > ago(14d)
| where type startswith 'microsoft.network/privatednszones' or type startswith 'microsoft.network/privateendpoints'
  or type startswith 'microsoft.network/virtualnetworks' or type startswith 'microsoft.network/routetables'
  or type startswith 'microsoft.network/dnsforwardingrulesets' or type startswith 'microsoft.insights/privatelinkscopes'
  or type startswith 'microsoft.insights/datacollectionruleassociations'
| project id, properties = pack('targetResourceId', properties.targetResourceId, 'changeType', properties.changeType,
  'changeAttributes', pack('timestamp', properties.changeAttributes.timestamp))
| order by id asc
"@
if ($null -eq $changes) { $notRead.Add('changes of the last 14 days') }

function Get-OfType([string]$Type) { @($rows | Where-Object { $_.type -eq $Type }) }

# The connection of a private endpoint to a scope.
function Get-Connection($Endpoint) {
    $all = @($Endpoint.properties.privateLinkServiceConnections) + @($Endpoint.properties.manualPrivateLinkServiceConnections)
    $all | Where-Object { $_.properties.privateLinkServiceId -match '/microsoft\.insights/privatelinkscopes/' } | Select-Object -First 1
}

# A moment as JSON writes it: ConvertFrom-Json makes dates of texts.
function Get-Moment($At) {
    if ($At -is [datetime]) { return $At.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss.fffZ') }
    return [string]$At
}

Write-Host 'collect.ps1: reading scopes, private endpoints, zones and rulesets'
$scopes = foreach ($it in Get-OfType 'microsoft.insights/privatelinkscopes') {
    $held = Get-Children $it.id 'scopedResources' '2021-07-01-preview' 'what the scope holds'
    $resources = $null
    if ($null -ne $held) { $resources = @($held | ForEach-Object { $_.properties.linkedResourceId }) }
    [ordered]@{
        id = $it.id; ingestion = $it.properties.accessModeSettings.ingestionAccessMode
        queries = $it.properties.accessModeSettings.queryAccessMode; resources = $resources
    }
}
$endpoints = foreach ($it in Get-OfType 'microsoft.network/privateendpoints') {
    $connection = Get-Connection $it
    if (-not $connection) { continue }
    $groups = foreach ($group in Get-Children $it.id 'privateDnsZoneGroups' '2023-11-01' 'zone groups') {
        if ($group) { [ordered]@{ name = $group.name; zones = @($group.properties.privateDnsZoneConfigs | ForEach-Object { $_.properties.privateDnsZoneId }) } }
    }
    [ordered]@{
        id = $it.id; scope = $connection.properties.privateLinkServiceId; subnet = $it.properties.subnet.id
        status = $connection.properties.privateLinkServiceConnectionState.status; zone_groups = @($groups)
    }
}
$links = Get-OfType 'microsoft.network/privatednszones/virtualnetworklinks'
$monitored = '^privatelink\.((adx\.)?monitor|oms\.opinsights|ods\.opinsights|agentsvc\.azure-automation|blob\.core)\.'
$zones = foreach ($it in Get-OfType 'microsoft.network/privatednszones' | Where-Object { $_.name -match $monitored }) {
    $a = Get-Children $it.id 'A' '2024-06-01' 'records'
    $aaaa = Get-Children $it.id 'AAAA' '2024-06-01' 'records'
    $records = $null
    if ($null -ne $a) {
        $records = @(@($a) + @($aaaa) | Where-Object { $_ } | ForEach-Object {
                [ordered]@{ name = $_.name; addresses = @(@($_.properties.aRecords.ipv4Address) + @($_.properties.aaaaRecords.ipv6Address) | Where-Object { $_ }) }
            })
    }
    $own = foreach ($link in $links | Where-Object { $_.id -like "$($it.id)/*" }) {
        [ordered]@{ name = $link.name.Split('/')[-1]; network = $link.properties.virtualNetwork.id; policy = $link.properties.resolutionPolicy }
    }
    [ordered]@{ id = $it.id; links = @($own); records = $records }
}
$rulesets = foreach ($it in Get-OfType 'microsoft.network/dnsforwardingrulesets') {
    $rules = foreach ($rule in Get-Children $it.id 'forwardingRules' '2022-07-01' 'rules') {
        if ($rule) {
            [ordered]@{
                domain = $rule.properties.domainName; targets = @($rule.properties.targetDnsServers.ipAddress)
                enabled = $rule.properties.forwardingRuleState -ne 'Disabled'
            }
        }
    }
    $linked = Get-Children $it.id 'virtualNetworkLinks' '2022-07-01' 'links'
    [ordered]@{ id = $it.id; rules = @($rules); networks = @($linked | ForEach-Object { $_.properties.virtualNetwork.id } | Where-Object { $_ }) }
}
$inbound = foreach ($it in Get-OfType 'microsoft.network/dnsresolvers/inboundendpoints') {
    foreach ($configuration in $it.properties.ipConfigurations) {
        [ordered]@{ id = $it.id; address = $configuration.privateIpAddress; subnet = $configuration.subnet.id }
    }
}
$networks = foreach ($it in Get-OfType 'microsoft.network/virtualnetworks') {
    $subnets = foreach ($subnet in $it.properties.subnets) {
        $prefixes = if ($subnet.properties.addressPrefixes) { $subnet.properties.addressPrefixes } else { $subnet.properties.addressPrefix }
        [ordered]@{
            name = $subnet.name; prefixes = @($prefixes | Where-Object { $_ }); outbound = $subnet.properties.defaultOutboundAccess
            nat = [bool]$subnet.properties.natGateway.id; route_table = $subnet.properties.routeTable.id
        }
    }
    [ordered]@{ id = $it.id; region = $it.location; dns = @($it.properties.dhcpOptions.dnsServers | Where-Object { $_ }); subnets = @($subnets) }
}
$tables = foreach ($it in Get-OfType 'microsoft.network/routetables') {
    $routes = foreach ($route in $it.properties.routes) {
        [ordered]@{ prefix = $route.properties.addressPrefix; next_hop = $route.properties.nextHopType; address = $route.properties.nextHopIpAddress }
    }
    [ordered]@{ id = $it.id; routes = @($routes) }
}
$own = @($endpoints | ForEach-Object { $_.id })
$interfaces = foreach ($it in Get-OfType 'microsoft.network/networkinterfaces') {
    $machine = $it.properties.virtualMachine.id
    $endpoint = $it.properties.privateEndpoint.id
    if (-not $machine -and $own -notcontains $endpoint) { continue }
    $configurations = foreach ($configuration in $it.properties.ipConfigurations) {
        [ordered]@{
            address = $configuration.properties.privateIPAddress; subnet = $configuration.properties.subnet.id
            names = @($configuration.properties.privateLinkConnectionProperties.fqdns | Where-Object { $_ })
        }
    }
    [ordered]@{ id = $it.id; machine = $machine; endpoint = $endpoint; configurations = @($configurations) }
}
$workspaces = foreach ($it in Get-OfType 'microsoft.operationalinsights/workspaces') {
    [ordered]@{
        id = $it.id; workspace = $it.properties.customerId; ingestion = $it.properties.publicNetworkAccessForIngestion
        queries = $it.properties.publicNetworkAccessForQuery; ingestion_status = $it.properties.workspaceCapping.dataIngestionStatus
    }
}
$collection = foreach ($it in Get-OfType 'microsoft.insights/datacollectionendpoints') {
    $urls = @($it.properties.configurationAccess.endpoint, $it.properties.logsIngestion.endpoint, $it.properties.metricsIngestion.endpoint)
    [ordered]@{ id = $it.id; region = $it.location; urls = @($urls | Where-Object { $_ }) }
}
$associated = $null
if ($null -ne $associations) {
    $associated = @($associations | ForEach-Object {
            [ordered]@{
                machine = ($_.id -split '/providers/microsoft\.insights/datacollectionruleassociations/')[0]; name = $_.name
                rule = $_.properties.dataCollectionRuleId; endpoint = $_.properties.dataCollectionEndpointId
            }
        })
}
$changed = foreach ($it in $changes) {
    if ($it) {
        [ordered]@{ at = Get-Moment $it.properties.changeAttributes.timestamp; what = $it.properties.changeType; id = $it.properties.targetResourceId }
    }
}
$facts = [ordered]@{
    kind = 'azure-facts'; schema = 1; collected_at = (Get-Date).ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ')
    subscriptions = @($subscriptions | ForEach-Object { $_.subscriptionId }); not_read = @($notRead | Sort-Object -Unique)
    scopes = @($scopes); endpoints = @($endpoints); zones = @($zones); rulesets = @($rulesets); inbound = @($inbound)
    networks = @($networks); route_tables = @($tables); interfaces = @($interfaces); workspaces = @($workspaces)
    collection_endpoints = @($collection); associations = $associated; changes = @($changed)
}
$facts | ConvertTo-Json -Depth 10 | Set-Content -LiteralPath $Out -Encoding utf8
if (Get-Command chmod -ErrorAction SilentlyContinue) { chmod 600 -- $Out }
$missing = if ($notRead.Count) { "; not read: $($notRead.Count) lists, named in it" } else { '' }
Write-Host "collect.ps1: $Out written$missing"
