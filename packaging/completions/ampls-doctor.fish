# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ampls_doctor_global_optspecs
    string join \n expect= cloud= region= workspace= dce= app-insights= storage= endpoint= set= private-range= public-roots= expected-records= resolver= proxy= timeout= deadline= repeat= only= root= skip= wait= for= every= format= ticket= o/output= redact fail-on= rule= q/quiet v/verbose color= h/help V/version
end

function __fish_ampls_doctor_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ampls_doctor_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ampls_doctor_using_subcommand
    set -l cmd (__fish_ampls_doctor_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l expect -d 'What the paths should be' -r -f -a "auto\t''
private\t''
public\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l cloud -d 'Cloud [default: as arguments, agents or the metadata service say]' -r -f -a "public\t''
usgov\t''
china\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l region -d 'Region of this machine, like westeurope [default: as agents or the metadata service say]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l workspace -d 'Log Analytics workspace id; repeatable or comma-separated, like all that end in …' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l dce -d 'Data collection endpoint, by any of its host names or URLs' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l app-insights -d 'Connection string of Application Insights; its key is not kept' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l storage -d 'Storage account' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l endpoint -d 'One more name to look at' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l set -d 'Endpoint groups [default: agent, and what arguments name]' -r -f -a "agent\t''
query\t''
app-insights\t''
portal\t''
automation\t''
arc\t''
all\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l private-range -d 'Range that also counts as private' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l public-roots -d 'PEM file of roots that count as Azure\'s, instead of the public roots (air-gapped clouds)' -r -F
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l expected-records -d 'Addresses the names should have: what `az network private-endpoint show`, its `dns-zone-group show` or `az network private-dns record-set a list` print, the portal\'s DNS page copied, or an earlier report' -r -F
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l resolver -d 'Ask this DNS server too' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l proxy -d 'Proxy for every name, or none [default: as the environment says]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l timeout -d 'Limit of one step, in seconds [default: 5]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l deadline -d 'Limit of the whole run, in seconds [default: 15]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l repeat -d 'Ask each DNS question COUNT times [default: 2]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l only -d 'Take only these steps, and those they need' -r -f -a "dns\t''
tcp\t''
tls\t''
http\t''
imds\t''
agent\t''
browser\t''
proxy\t''
clock\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l root -d 'Look at the files under this folder instead of / (a mounted disk, a collected folder); no network' -r -F
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l skip -d 'Leave these steps out' -r -f -a "dns\t''
tcp\t''
tls\t''
http\t''
imds\t''
agent\t''
browser\t''
proxy\t''
clock\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l wait -d 'Look again until the verdict is private (implies --expect private) or healthy; exit with 1 if it never is' -r -f -a "private\t''
healthy\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l for -d 'Give up after SECS seconds [default: 600]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l every -d 'Look again every SECS seconds until a signal comes; a table is followed by one line a look, JSON is one document a line; html, markdown, junit and metrics need -o' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l format -d 'Format of the result' -r -f -a "table\t''
json\t''
ndjson\t''
compact\t''
html\t''
markdown\t''
junit\t''
metrics\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l ticket -d 'A ticket for that owner of faults (with --format markdown): dns, network, monitor, os or security' -r -f -a "dns\t''
network\t''
monitor\t''
os\t''
security\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -s o -l output -d 'Write to this file (created 0600), `-` for standard output' -r -F
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l fail-on -d 'Exit with 1 from this severity' -r -f -a "error\t''
warning\t''
never\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l rule -d 'What a finding counts as: off, info, warning or error; a cause still counts as what it explains' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l color -d 'Colour; auto obeys NO_COLOR' -r -f -a "auto\t''
always\t''
never\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -l redact -d 'Replace names and addresses with stable pseudonyms'
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -s q -l quiet -d 'Print the result and errors only'
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -s v -l verbose -d 'Print every endpoint and every answer'
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -s h -l help -d 'Print help'
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -s V -l version -d 'Print version'
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -f -a "check" -d 'Look at this machine\'s paths to Azure Monitor and judge them (the default)'
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -f -a "plan" -d 'Print what `check` would look at; touch nothing'
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -f -a "judge" -d 'Judge a saved report again, offline, with this version\'s rules'
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -f -a "redact" -d 'Replace names and addresses in a saved report with stable pseudonyms; exits with 0 whatever the report holds'
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -f -a "compare" -d 'Show what differs between two reports: one machine at two moments, or a good machine and a bad one'
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -f -a "explain" -d 'Explain a finding code or name, an address, or a host name'
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -f -a "demo" -d 'Examine a simulated Azure on loopback'
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -f -a "schema" -d 'Print the report\'s JSON Schema'
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c ampls-doctor -n "__fish_ampls_doctor_needs_command" -f -a "man" -d 'Print the manual page'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l expect -d 'What the paths should be' -r -f -a "auto\t''
private\t''
public\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l cloud -d 'Cloud [default: as arguments, agents or the metadata service say]' -r -f -a "public\t''
usgov\t''
china\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l region -d 'Region of this machine, like westeurope [default: as agents or the metadata service say]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l workspace -d 'Log Analytics workspace id; repeatable or comma-separated, like all that end in …' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l dce -d 'Data collection endpoint, by any of its host names or URLs' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l app-insights -d 'Connection string of Application Insights; its key is not kept' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l storage -d 'Storage account' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l endpoint -d 'One more name to look at' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l set -d 'Endpoint groups [default: agent, and what arguments name]' -r -f -a "agent\t''
query\t''
app-insights\t''
portal\t''
automation\t''
arc\t''
all\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l private-range -d 'Range that also counts as private' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l public-roots -d 'PEM file of roots that count as Azure\'s, instead of the public roots (air-gapped clouds)' -r -F
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l expected-records -d 'Addresses the names should have: what `az network private-endpoint show`, its `dns-zone-group show` or `az network private-dns record-set a list` print, the portal\'s DNS page copied, or an earlier report' -r -F
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l resolver -d 'Ask this DNS server too' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l proxy -d 'Proxy for every name, or none [default: as the environment says]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l timeout -d 'Limit of one step, in seconds [default: 5]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l deadline -d 'Limit of the whole run, in seconds [default: 15]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l repeat -d 'Ask each DNS question COUNT times [default: 2]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l only -d 'Take only these steps, and those they need' -r -f -a "dns\t''
tcp\t''
tls\t''
http\t''
imds\t''
agent\t''
browser\t''
proxy\t''
clock\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l root -d 'Look at the files under this folder instead of / (a mounted disk, a collected folder); no network' -r -F
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l skip -d 'Leave these steps out' -r -f -a "dns\t''
tcp\t''
tls\t''
http\t''
imds\t''
agent\t''
browser\t''
proxy\t''
clock\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l wait -d 'Look again until the verdict is private (implies --expect private) or healthy; exit with 1 if it never is' -r -f -a "private\t''
healthy\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l for -d 'Give up after SECS seconds [default: 600]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l every -d 'Look again every SECS seconds until a signal comes; a table is followed by one line a look, JSON is one document a line; html, markdown, junit and metrics need -o' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l format -d 'Format of the result' -r -f -a "table\t''
json\t''
ndjson\t''
compact\t''
html\t''
markdown\t''
junit\t''
metrics\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l ticket -d 'A ticket for that owner of faults (with --format markdown): dns, network, monitor, os or security' -r -f -a "dns\t''
network\t''
monitor\t''
os\t''
security\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -s o -l output -d 'Write to this file (created 0600), `-` for standard output' -r -F
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l fail-on -d 'Exit with 1 from this severity' -r -f -a "error\t''
warning\t''
never\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l rule -d 'What a finding counts as: off, info, warning or error; a cause still counts as what it explains' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l color -d 'Colour; auto obeys NO_COLOR' -r -f -a "auto\t''
always\t''
never\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -l redact -d 'Replace names and addresses with stable pseudonyms'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -s q -l quiet -d 'Print the result and errors only'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -s v -l verbose -d 'Print every endpoint and every answer'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand check" -s h -l help -d 'Print help'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l expect -d 'What the paths should be' -r -f -a "auto\t''
private\t''
public\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l cloud -d 'Cloud [default: as arguments, agents or the metadata service say]' -r -f -a "public\t''
usgov\t''
china\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l region -d 'Region of this machine, like westeurope [default: as agents or the metadata service say]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l workspace -d 'Log Analytics workspace id; repeatable or comma-separated, like all that end in …' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l dce -d 'Data collection endpoint, by any of its host names or URLs' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l app-insights -d 'Connection string of Application Insights; its key is not kept' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l storage -d 'Storage account' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l endpoint -d 'One more name to look at' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l set -d 'Endpoint groups [default: agent, and what arguments name]' -r -f -a "agent\t''
query\t''
app-insights\t''
portal\t''
automation\t''
arc\t''
all\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l private-range -d 'Range that also counts as private' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l public-roots -d 'PEM file of roots that count as Azure\'s, instead of the public roots (air-gapped clouds)' -r -F
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l expected-records -d 'Addresses the names should have: what `az network private-endpoint show`, its `dns-zone-group show` or `az network private-dns record-set a list` print, the portal\'s DNS page copied, or an earlier report' -r -F
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l resolver -d 'Ask this DNS server too' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l proxy -d 'Proxy for every name, or none [default: as the environment says]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l timeout -d 'Limit of one step, in seconds [default: 5]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l deadline -d 'Limit of the whole run, in seconds [default: 15]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l repeat -d 'Ask each DNS question COUNT times [default: 2]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l only -d 'Take only these steps, and those they need' -r -f -a "dns\t''
tcp\t''
tls\t''
http\t''
imds\t''
agent\t''
browser\t''
proxy\t''
clock\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l root -d 'Look at the files under this folder instead of / (a mounted disk, a collected folder); no network' -r -F
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l skip -d 'Leave these steps out' -r -f -a "dns\t''
tcp\t''
tls\t''
http\t''
imds\t''
agent\t''
browser\t''
proxy\t''
clock\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l format -d 'Format of the plan; firewall: name, port, why, service tag' -r -f -a "table\t''
json\t''
firewall\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -s o -l output -d 'Write to this file (created 0600), `-` for standard output' -r -F
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -l color -d 'Colour; auto obeys NO_COLOR' -r -f -a "auto\t''
always\t''
never\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -s q -l quiet -d 'Print the result and errors only'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -s v -l verbose -d 'Print every endpoint and every answer'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand plan" -s h -l help -d 'Print help'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand judge" -l format -d 'Format of the result' -r -f -a "table\t''
json\t''
ndjson\t''
compact\t''
html\t''
markdown\t''
junit\t''
metrics\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand judge" -l ticket -d 'A ticket for that owner of faults (with --format markdown): dns, network, monitor, os or security' -r -f -a "dns\t''
network\t''
monitor\t''
os\t''
security\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand judge" -s o -l output -d 'Write to this file (created 0600), `-` for standard output' -r -F
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand judge" -l fail-on -d 'Exit with 1 from this severity' -r -f -a "error\t''
warning\t''
never\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand judge" -l rule -d 'What a finding counts as: off, info, warning or error; a cause still counts as what it explains' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand judge" -l color -d 'Colour; auto obeys NO_COLOR' -r -f -a "auto\t''
always\t''
never\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand judge" -l redact -d 'Replace names and addresses with stable pseudonyms'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand judge" -s q -l quiet -d 'Print the result and errors only'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand judge" -s v -l verbose -d 'Print every endpoint and every answer'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand judge" -s h -l help -d 'Print help'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand redact" -l format -d 'Format of the result' -r -f -a "table\t''
json\t''
ndjson\t''
compact\t''
html\t''
markdown\t''
junit\t''
metrics\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand redact" -s o -l output -d 'Write to this file (created 0600), `-` for standard output' -r -F
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand redact" -l color -d 'Colour; auto obeys NO_COLOR' -r -f -a "auto\t''
always\t''
never\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand redact" -s q -l quiet -d 'Print the result and errors only'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand redact" -s v -l verbose -d 'Print every endpoint and every answer'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand redact" -s h -l help -d 'Print help'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand compare" -l format -d 'Format of the result' -r -f -a "table\t''
json\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand compare" -s o -l output -d 'Write to this file (created 0600), `-` for standard output' -r -F
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand compare" -l fail-on -d 'Exit with 1 from this severity' -r -f -a "error\t''
warning\t''
never\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand compare" -l color -d 'Colour; auto obeys NO_COLOR' -r -f -a "auto\t''
always\t''
never\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand compare" -s q -l quiet -d 'Print the result and errors only'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand compare" -s v -l verbose -d 'Print every endpoint and every answer'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand compare" -s h -l help -d 'Print help'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand explain" -l color -d 'Colour; auto obeys NO_COLOR' -r -f -a "auto\t''
always\t''
never\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand explain" -l list -d 'List every code with its usual severity, its name and what it means'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand explain" -s q -l quiet -d 'Print the result and errors only'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand explain" -s v -l verbose -d 'Print every endpoint and every answer'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand explain" -s h -l help -d 'Print help'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand demo" -l wait -d 'Look again until the verdict is private (implies --expect private) or healthy; exit with 1 if it never is' -r -f -a "private\t''
healthy\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand demo" -l for -d 'Give up after SECS seconds [default: 600]' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand demo" -l every -d 'Look again every SECS seconds until a signal comes; a table is followed by one line a look, JSON is one document a line; html, markdown, junit and metrics need -o' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand demo" -l format -d 'Format of the result' -r -f -a "table\t''
json\t''
ndjson\t''
compact\t''
html\t''
markdown\t''
junit\t''
metrics\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand demo" -l ticket -d 'A ticket for that owner of faults (with --format markdown): dns, network, monitor, os or security' -r -f -a "dns\t''
network\t''
monitor\t''
os\t''
security\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand demo" -s o -l output -d 'Write to this file (created 0600), `-` for standard output' -r -F
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand demo" -l fail-on -d 'Exit with 1 from this severity' -r -f -a "error\t''
warning\t''
never\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand demo" -l rule -d 'What a finding counts as: off, info, warning or error; a cause still counts as what it explains' -r
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand demo" -l color -d 'Colour; auto obeys NO_COLOR' -r -f -a "auto\t''
always\t''
never\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand demo" -l list -d 'List the worlds'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand demo" -l redact -d 'Replace names and addresses with stable pseudonyms'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand demo" -s q -l quiet -d 'Print the result and errors only'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand demo" -s v -l verbose -d 'Print every endpoint and every answer'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand demo" -s h -l help -d 'Print help'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand schema" -l color -d 'Colour; auto obeys NO_COLOR' -r -f -a "auto\t''
always\t''
never\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand schema" -s q -l quiet -d 'Print the result and errors only'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand schema" -s v -l verbose -d 'Print every endpoint and every answer'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand schema" -s h -l help -d 'Print help'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand completions" -l color -d 'Colour; auto obeys NO_COLOR' -r -f -a "auto\t''
always\t''
never\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand completions" -s q -l quiet -d 'Print the result and errors only'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand completions" -s v -l verbose -d 'Print every endpoint and every answer'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand completions" -s h -l help -d 'Print help'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand man" -l color -d 'Colour; auto obeys NO_COLOR' -r -f -a "auto\t''
always\t''
never\t''"
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand man" -s q -l quiet -d 'Print the result and errors only'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand man" -s v -l verbose -d 'Print every endpoint and every answer'
complete -c ampls-doctor -n "__fish_ampls_doctor_using_subcommand man" -s h -l help -d 'Print help'
