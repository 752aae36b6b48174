
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'ampls-doctor' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'ampls-doctor'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'ampls-doctor' {
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'What the paths should be')
            [CompletionResult]::new('--cloud', '--cloud', [CompletionResultType]::ParameterName, 'Cloud [default: as arguments, agents or the metadata service say]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region of this machine, for example westeurope [default: as agents or the metadata service say]')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'Log Analytics workspace, by its id or one of its host names; options marked … may be repeated or comma-separated')
            [CompletionResult]::new('--dce', '--dce', [CompletionResultType]::ParameterName, 'Data collection endpoint, by any of its host names or URLs')
            [CompletionResult]::new('--app-insights', '--app-insights', [CompletionResultType]::ParameterName, 'Connection string of Application Insights; its key is not kept')
            [CompletionResult]::new('--storage', '--storage', [CompletionResultType]::ParameterName, 'Storage account')
            [CompletionResult]::new('--endpoint', '--endpoint', [CompletionResultType]::ParameterName, 'One more name to look at, or a URL')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'Endpoint groups [default: agent, and what arguments name]')
            [CompletionResult]::new('--ask-azure', '--ask-azure', [CompletionResultType]::ParameterName, 'Also ask Azure''s control service which rules this machine has and where it gets them, with the machine''s own identity, as the agent does; `=ingestion` asks too whether upload tokens are granted (they could write, so none is read)')
            [CompletionResult]::new('--view', '--view', [CompletionResultType]::ParameterName, 'Also ask the resolver that a browser or the system asks encrypted, for names that many customers share; its operator then sees them asked from this machine')
            [CompletionResult]::new('--private-range', '--private-range', [CompletionResultType]::ParameterName, 'Range that also counts as private')
            [CompletionResult]::new('--public-roots', '--public-roots', [CompletionResultType]::ParameterName, 'PEM file of roots that count as Azure''s, instead of the public roots (air-gapped clouds)')
            [CompletionResult]::new('--expected-records', '--expected-records', [CompletionResultType]::ParameterName, 'Addresses the names should have: what `az network private-endpoint show`, its `dns-zone-group show` or `az network private-dns record-set a list` print, the portal''s DNS page copied, or an earlier report')
            [CompletionResult]::new('--resolver', '--resolver', [CompletionResultType]::ParameterName, 'Ask this DNS server too')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Proxy for every name, or none [default: as the environment says]')
            [CompletionResult]::new('--browsers', '--browsers', [CompletionResultType]::ParameterName, 'Settings of browsers to look at: the machine''s policies, also what people set themselves, or none [default: policies for root or SYSTEM without a terminal, else all]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Limit of one step, in seconds [default: 5]')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'Limit of the whole run, in seconds [default: 15]')
            [CompletionResult]::new('--repeat', '--repeat', [CompletionResultType]::ParameterName, 'Ask a DNS question at most COUNT times, again only where it decides something [default: 2]')
            [CompletionResult]::new('--only', '--only', [CompletionResultType]::ParameterName, 'Take only these steps, and those they need')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Look at the files under this folder instead of / (a mounted disk, a collected folder); no network')
            [CompletionResult]::new('--skip', '--skip', [CompletionResultType]::ParameterName, 'Leave these steps out')
            [CompletionResult]::new('--facts', '--facts', [CompletionResultType]::ParameterName, 'What Azure holds, as packaging/azure-facts collected it elsewhere: fills in commands, answers what a VM cannot see, says what changed')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Look again until the verdict is private (implies --expect private) or healthy; exit with 1 if it never is')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Give up after SECS seconds [default: 600]')
            [CompletionResult]::new('--every', '--every', [CompletionResultType]::ParameterName, 'Look again every SECS seconds until a signal comes; a table is followed by one line a look, JSON is one document a line; html, markdown, junit and metrics need -o')
            [CompletionResult]::new('--splay', '--splay', [CompletionResultType]::ParameterName, 'Wait up to SECS seconds before the first look, each machine as long as its own id says: machines that are started together do not ask their servers together')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Format of the result [default: table, or what the file''s extension says]')
            [CompletionResult]::new('--ticket', '--ticket', [CompletionResultType]::ParameterName, 'A ticket for that owner of faults (with --format markdown): dns, network, monitor, os or security')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output; .json, .ndjson, .html, .md, .xml and .prom choose the format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output; .json, .ndjson, .html, .md, .xml and .prom choose the format')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'Exit with 1 from this severity')
            [CompletionResult]::new('--rule', '--rule', [CompletionResultType]::ParameterName, 'Override severity: off, info, warning or error. A root cause keeps the severity of what it explains')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour; auto obeys NO_COLOR')
            [CompletionResult]::new('--redact', '--redact', [CompletionResultType]::ParameterName, 'Replace names and addresses with stable pseudonyms')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Look at this machine''s paths to Azure Monitor and judge them (the default)')
            [CompletionResult]::new('plan', 'plan', [CompletionResultType]::ParameterValue, 'Print what `check` would look at; touch nothing')
            [CompletionResult]::new('judge', 'judge', [CompletionResultType]::ParameterValue, 'Judge a saved report again, offline, with this version''s rules')
            [CompletionResult]::new('redact', 'redact', [CompletionResultType]::ParameterValue, 'Replace names and addresses in a saved report with stable pseudonyms; exits with 0 whatever the report holds')
            [CompletionResult]::new('compare', 'compare', [CompletionResultType]::ParameterValue, 'Show what differs between two reports: one machine at two moments, or a good machine and a bad one')
            [CompletionResult]::new('fleet', 'fleet', [CompletionResultType]::ParameterValue, 'Group the reports of many machines by what is wrong with them')
            [CompletionResult]::new('what-if', 'what-if', [CompletionResultType]::ParameterValue, 'Predict from reports what a change of zones, records or servers would do')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explain a finding code or name, an address, or a host name')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Examine a simulated Azure on loopback')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the report''s JSON Schema, or that of another document')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page')
            break
        }
        'ampls-doctor;check' {
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'What the paths should be')
            [CompletionResult]::new('--cloud', '--cloud', [CompletionResultType]::ParameterName, 'Cloud [default: as arguments, agents or the metadata service say]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region of this machine, for example westeurope [default: as agents or the metadata service say]')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'Log Analytics workspace, by its id or one of its host names; options marked … may be repeated or comma-separated')
            [CompletionResult]::new('--dce', '--dce', [CompletionResultType]::ParameterName, 'Data collection endpoint, by any of its host names or URLs')
            [CompletionResult]::new('--app-insights', '--app-insights', [CompletionResultType]::ParameterName, 'Connection string of Application Insights; its key is not kept')
            [CompletionResult]::new('--storage', '--storage', [CompletionResultType]::ParameterName, 'Storage account')
            [CompletionResult]::new('--endpoint', '--endpoint', [CompletionResultType]::ParameterName, 'One more name to look at, or a URL')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'Endpoint groups [default: agent, and what arguments name]')
            [CompletionResult]::new('--ask-azure', '--ask-azure', [CompletionResultType]::ParameterName, 'Also ask Azure''s control service which rules this machine has and where it gets them, with the machine''s own identity, as the agent does; `=ingestion` asks too whether upload tokens are granted (they could write, so none is read)')
            [CompletionResult]::new('--view', '--view', [CompletionResultType]::ParameterName, 'Also ask the resolver that a browser or the system asks encrypted, for names that many customers share; its operator then sees them asked from this machine')
            [CompletionResult]::new('--private-range', '--private-range', [CompletionResultType]::ParameterName, 'Range that also counts as private')
            [CompletionResult]::new('--public-roots', '--public-roots', [CompletionResultType]::ParameterName, 'PEM file of roots that count as Azure''s, instead of the public roots (air-gapped clouds)')
            [CompletionResult]::new('--expected-records', '--expected-records', [CompletionResultType]::ParameterName, 'Addresses the names should have: what `az network private-endpoint show`, its `dns-zone-group show` or `az network private-dns record-set a list` print, the portal''s DNS page copied, or an earlier report')
            [CompletionResult]::new('--resolver', '--resolver', [CompletionResultType]::ParameterName, 'Ask this DNS server too')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Proxy for every name, or none [default: as the environment says]')
            [CompletionResult]::new('--browsers', '--browsers', [CompletionResultType]::ParameterName, 'Settings of browsers to look at: the machine''s policies, also what people set themselves, or none [default: policies for root or SYSTEM without a terminal, else all]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Limit of one step, in seconds [default: 5]')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'Limit of the whole run, in seconds [default: 15]')
            [CompletionResult]::new('--repeat', '--repeat', [CompletionResultType]::ParameterName, 'Ask a DNS question at most COUNT times, again only where it decides something [default: 2]')
            [CompletionResult]::new('--only', '--only', [CompletionResultType]::ParameterName, 'Take only these steps, and those they need')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Look at the files under this folder instead of / (a mounted disk, a collected folder); no network')
            [CompletionResult]::new('--skip', '--skip', [CompletionResultType]::ParameterName, 'Leave these steps out')
            [CompletionResult]::new('--facts', '--facts', [CompletionResultType]::ParameterName, 'What Azure holds, as packaging/azure-facts collected it elsewhere: fills in commands, answers what a VM cannot see, says what changed')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Look again until the verdict is private (implies --expect private) or healthy; exit with 1 if it never is')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Give up after SECS seconds [default: 600]')
            [CompletionResult]::new('--every', '--every', [CompletionResultType]::ParameterName, 'Look again every SECS seconds until a signal comes; a table is followed by one line a look, JSON is one document a line; html, markdown, junit and metrics need -o')
            [CompletionResult]::new('--splay', '--splay', [CompletionResultType]::ParameterName, 'Wait up to SECS seconds before the first look, each machine as long as its own id says: machines that are started together do not ask their servers together')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Format of the result [default: table, or what the file''s extension says]')
            [CompletionResult]::new('--ticket', '--ticket', [CompletionResultType]::ParameterName, 'A ticket for that owner of faults (with --format markdown): dns, network, monitor, os or security')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output; .json, .ndjson, .html, .md, .xml and .prom choose the format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output; .json, .ndjson, .html, .md, .xml and .prom choose the format')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'Exit with 1 from this severity')
            [CompletionResult]::new('--rule', '--rule', [CompletionResultType]::ParameterName, 'Override severity: off, info, warning or error. A root cause keeps the severity of what it explains')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour; auto obeys NO_COLOR')
            [CompletionResult]::new('--redact', '--redact', [CompletionResultType]::ParameterName, 'Replace names and addresses with stable pseudonyms')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ampls-doctor;plan' {
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'What the paths should be')
            [CompletionResult]::new('--cloud', '--cloud', [CompletionResultType]::ParameterName, 'Cloud [default: as arguments, agents or the metadata service say]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region of this machine, for example westeurope [default: as agents or the metadata service say]')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'Log Analytics workspace, by its id or one of its host names; options marked … may be repeated or comma-separated')
            [CompletionResult]::new('--dce', '--dce', [CompletionResultType]::ParameterName, 'Data collection endpoint, by any of its host names or URLs')
            [CompletionResult]::new('--app-insights', '--app-insights', [CompletionResultType]::ParameterName, 'Connection string of Application Insights; its key is not kept')
            [CompletionResult]::new('--storage', '--storage', [CompletionResultType]::ParameterName, 'Storage account')
            [CompletionResult]::new('--endpoint', '--endpoint', [CompletionResultType]::ParameterName, 'One more name to look at, or a URL')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'Endpoint groups [default: agent, and what arguments name]')
            [CompletionResult]::new('--ask-azure', '--ask-azure', [CompletionResultType]::ParameterName, 'Also ask Azure''s control service which rules this machine has and where it gets them, with the machine''s own identity, as the agent does; `=ingestion` asks too whether upload tokens are granted (they could write, so none is read)')
            [CompletionResult]::new('--view', '--view', [CompletionResultType]::ParameterName, 'Also ask the resolver that a browser or the system asks encrypted, for names that many customers share; its operator then sees them asked from this machine')
            [CompletionResult]::new('--private-range', '--private-range', [CompletionResultType]::ParameterName, 'Range that also counts as private')
            [CompletionResult]::new('--public-roots', '--public-roots', [CompletionResultType]::ParameterName, 'PEM file of roots that count as Azure''s, instead of the public roots (air-gapped clouds)')
            [CompletionResult]::new('--expected-records', '--expected-records', [CompletionResultType]::ParameterName, 'Addresses the names should have: what `az network private-endpoint show`, its `dns-zone-group show` or `az network private-dns record-set a list` print, the portal''s DNS page copied, or an earlier report')
            [CompletionResult]::new('--resolver', '--resolver', [CompletionResultType]::ParameterName, 'Ask this DNS server too')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Proxy for every name, or none [default: as the environment says]')
            [CompletionResult]::new('--browsers', '--browsers', [CompletionResultType]::ParameterName, 'Settings of browsers to look at: the machine''s policies, also what people set themselves, or none [default: policies for root or SYSTEM without a terminal, else all]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Limit of one step, in seconds [default: 5]')
            [CompletionResult]::new('--deadline', '--deadline', [CompletionResultType]::ParameterName, 'Limit of the whole run, in seconds [default: 15]')
            [CompletionResult]::new('--repeat', '--repeat', [CompletionResultType]::ParameterName, 'Ask a DNS question at most COUNT times, again only where it decides something [default: 2]')
            [CompletionResult]::new('--only', '--only', [CompletionResultType]::ParameterName, 'Take only these steps, and those they need')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Look at the files under this folder instead of / (a mounted disk, a collected folder); no network')
            [CompletionResult]::new('--skip', '--skip', [CompletionResultType]::ParameterName, 'Leave these steps out')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Format of the plan; firewall: name, port, why, service tag [default: table, or what the file''s extension says]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour; auto obeys NO_COLOR')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ampls-doctor;judge' {
            [CompletionResult]::new('--facts', '--facts', [CompletionResultType]::ParameterName, 'What Azure holds, as packaging/azure-facts collected it elsewhere: fills in commands, answers what a VM cannot see, says what changed')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Format of the result [default: table, or what the file''s extension says]')
            [CompletionResult]::new('--ticket', '--ticket', [CompletionResultType]::ParameterName, 'A ticket for that owner of faults (with --format markdown): dns, network, monitor, os or security')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output; .json, .ndjson, .html, .md, .xml and .prom choose the format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output; .json, .ndjson, .html, .md, .xml and .prom choose the format')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'Exit with 1 from this severity')
            [CompletionResult]::new('--rule', '--rule', [CompletionResultType]::ParameterName, 'Override severity: off, info, warning or error. A root cause keeps the severity of what it explains')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour; auto obeys NO_COLOR')
            [CompletionResult]::new('--redact', '--redact', [CompletionResultType]::ParameterName, 'Replace names and addresses with stable pseudonyms')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ampls-doctor;redact' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Format of the result [default: json, or what the file''s extension says]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output; of several reports, a folder for report-1, report-2 …')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output; of several reports, a folder for report-1, report-2 …')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour; auto obeys NO_COLOR')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ampls-doctor;compare' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Format of the result [default: table, or what the file''s extension says]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'Exit with 1 from this severity')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour; auto obeys NO_COLOR')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ampls-doctor;fleet' {
            [CompletionResult]::new('--by', '--by', [CompletionResultType]::ParameterName, 'Also group the machines by this: region, subnet, subscription, server, zone, code or agent')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Compare with earlier reports: what got better, worse, appeared, vanished')
            [CompletionResult]::new('--facts', '--facts', [CompletionResultType]::ParameterName, 'What Azure holds, as packaging/azure-facts collected it elsewhere: fills in commands, answers what a VM cannot see, says what changed')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Format of the result [default: table, or what the file''s extension says]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output; .json, .ndjson, .csv, .md, .html and .prom choose the format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output; .json, .ndjson, .csv, .md, .html and .prom choose the format')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'Exit with 1 from this severity')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour; auto obeys NO_COLOR')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ampls-doctor;what-if' {
            [CompletionResult]::new('--change', '--change', [CompletionResultType]::ParameterName, 'A change, e.g. `unlink privatelink.monitor.azure.com`; several are made one after the other')
            [CompletionResult]::new('--like', '--like', [CompletionResultType]::ParameterName, 'The report of a machine that shows what the change gives: its zone is linked there, or its servers are asked')
            [CompletionResult]::new('--facts', '--facts', [CompletionResultType]::ParameterName, 'What Azure holds, as packaging/azure-facts collected it elsewhere: fills in commands, answers what a VM cannot see, says what changed')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Format of the result [default: table, or what the file''s extension says]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour; auto obeys NO_COLOR')
            [CompletionResult]::new('--allow-unknown', '--allow-unknown', [CompletionResultType]::ParameterName, 'Do not exit with 1 for what is unknown')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ampls-doctor;explain' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour; auto obeys NO_COLOR')
            [CompletionResult]::new('--list', '--list', [CompletionResultType]::ParameterName, 'List every code with its usual severity, its name and what it means, and every word')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ampls-doctor;demo' {
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Look again until the verdict is private (implies --expect private) or healthy; exit with 1 if it never is')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Give up after SECS seconds [default: 600]')
            [CompletionResult]::new('--every', '--every', [CompletionResultType]::ParameterName, 'Look again every SECS seconds until a signal comes; a table is followed by one line a look, JSON is one document a line; html, markdown, junit and metrics need -o')
            [CompletionResult]::new('--splay', '--splay', [CompletionResultType]::ParameterName, 'Wait up to SECS seconds before the first look, each machine as long as its own id says: machines that are started together do not ask their servers together')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Format of the result [default: table, or what the file''s extension says]')
            [CompletionResult]::new('--ticket', '--ticket', [CompletionResultType]::ParameterName, 'A ticket for that owner of faults (with --format markdown): dns, network, monitor, os or security')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output; .json, .ndjson, .html, .md, .xml and .prom choose the format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to this file (created 0600; Windows: as its folder), `-` for standard output; .json, .ndjson, .html, .md, .xml and .prom choose the format')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'Exit with 1 from this severity')
            [CompletionResult]::new('--rule', '--rule', [CompletionResultType]::ParameterName, 'Override severity: off, info, warning or error. A root cause keeps the severity of what it explains')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour; auto obeys NO_COLOR')
            [CompletionResult]::new('--list', '--list', [CompletionResultType]::ParameterName, 'List the worlds, grouped by what is wrong in them')
            [CompletionResult]::new('--redact', '--redact', [CompletionResultType]::ParameterName, 'Replace names and addresses with stable pseudonyms')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ampls-doctor;schema' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour; auto obeys NO_COLOR')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ampls-doctor;completions' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour; auto obeys NO_COLOR')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'ampls-doctor;man' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour; auto obeys NO_COLOR')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the headline')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print evidence, undo and every endpoint; -vv every answer too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
