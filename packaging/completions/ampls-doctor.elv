
use builtin;
use str;

set edit:completion:arg-completer[ampls-doctor] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'ampls-doctor'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'ampls-doctor'= {
            cand --expect 'What the paths should be'
            cand --cloud 'Cloud [default: as arguments, agents or the metadata service say]'
            cand --region 'Region of this machine, like westeurope [default: likewise]'
            cand --workspace 'Log Analytics workspace id; repeatable or comma-separated, like all that end in …'
            cand --dce 'Data collection endpoint, by any of its host names or URLs'
            cand --app-insights 'Connection string of Application Insights; its key is not kept'
            cand --storage 'Storage account'
            cand --endpoint 'One more name to look at'
            cand --set 'Endpoint groups [default: agent, and what arguments name]'
            cand --private-range 'Range that also counts as private'
            cand --public-roots 'PEM file of roots that count as Azure''s, instead of the public roots (air-gapped clouds)'
            cand --resolver 'Ask this DNS server too'
            cand --proxy 'Proxy for every name, or none [default: as the environment says]'
            cand --timeout 'Limit of one step, in seconds [default: 5]'
            cand --deadline 'Limit of the whole run, in seconds [default: 15]'
            cand --repeat 'Ask each DNS question so often [default: 2]'
            cand --only 'Take only these steps, and those they need'
            cand --skip 'Leave these steps out'
            cand --format 'Format of the result'
            cand -o 'Write to this file instead of standard output (created 0600)'
            cand --output 'Write to this file instead of standard output (created 0600)'
            cand --fail-on 'Exit with 1 from this severity'
            cand --color 'Colour; auto obeys NO_COLOR'
            cand -q 'Print the result and errors only'
            cand --quiet 'Print the result and errors only'
            cand -v 'Print every endpoint and every answer'
            cand --verbose 'Print every endpoint and every answer'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand check 'Look at this machine''s paths to Azure Monitor and judge them (the default)'
            cand plan 'Print what `check` would look at; touch nothing'
            cand judge 'Judge a saved report again, offline, with this version''s rules'
            cand explain 'Explain a finding code or name, an address, or a host name'
            cand demo 'Examine a simulated Azure on loopback'
            cand schema 'Print the report''s JSON Schema'
            cand completions 'Print a completion script for a shell'
            cand man 'Print the manual page'
        }
        &'ampls-doctor;check'= {
            cand --expect 'What the paths should be'
            cand --cloud 'Cloud [default: as arguments, agents or the metadata service say]'
            cand --region 'Region of this machine, like westeurope [default: likewise]'
            cand --workspace 'Log Analytics workspace id; repeatable or comma-separated, like all that end in …'
            cand --dce 'Data collection endpoint, by any of its host names or URLs'
            cand --app-insights 'Connection string of Application Insights; its key is not kept'
            cand --storage 'Storage account'
            cand --endpoint 'One more name to look at'
            cand --set 'Endpoint groups [default: agent, and what arguments name]'
            cand --private-range 'Range that also counts as private'
            cand --public-roots 'PEM file of roots that count as Azure''s, instead of the public roots (air-gapped clouds)'
            cand --resolver 'Ask this DNS server too'
            cand --proxy 'Proxy for every name, or none [default: as the environment says]'
            cand --timeout 'Limit of one step, in seconds [default: 5]'
            cand --deadline 'Limit of the whole run, in seconds [default: 15]'
            cand --repeat 'Ask each DNS question so often [default: 2]'
            cand --only 'Take only these steps, and those they need'
            cand --skip 'Leave these steps out'
            cand --format 'Format of the result'
            cand -o 'Write to this file instead of standard output (created 0600)'
            cand --output 'Write to this file instead of standard output (created 0600)'
            cand --fail-on 'Exit with 1 from this severity'
            cand --color 'Colour; auto obeys NO_COLOR'
            cand -q 'Print the result and errors only'
            cand --quiet 'Print the result and errors only'
            cand -v 'Print every endpoint and every answer'
            cand --verbose 'Print every endpoint and every answer'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ampls-doctor;plan'= {
            cand --expect 'What the paths should be'
            cand --cloud 'Cloud [default: as arguments, agents or the metadata service say]'
            cand --region 'Region of this machine, like westeurope [default: likewise]'
            cand --workspace 'Log Analytics workspace id; repeatable or comma-separated, like all that end in …'
            cand --dce 'Data collection endpoint, by any of its host names or URLs'
            cand --app-insights 'Connection string of Application Insights; its key is not kept'
            cand --storage 'Storage account'
            cand --endpoint 'One more name to look at'
            cand --set 'Endpoint groups [default: agent, and what arguments name]'
            cand --private-range 'Range that also counts as private'
            cand --public-roots 'PEM file of roots that count as Azure''s, instead of the public roots (air-gapped clouds)'
            cand --resolver 'Ask this DNS server too'
            cand --proxy 'Proxy for every name, or none [default: as the environment says]'
            cand --timeout 'Limit of one step, in seconds [default: 5]'
            cand --deadline 'Limit of the whole run, in seconds [default: 15]'
            cand --repeat 'Ask each DNS question so often [default: 2]'
            cand --only 'Take only these steps, and those they need'
            cand --skip 'Leave these steps out'
            cand --format 'Format of the plan; firewall: name, port, why, service tag'
            cand -o 'Write to this file instead of standard output (created 0600)'
            cand --output 'Write to this file instead of standard output (created 0600)'
            cand --color 'Colour; auto obeys NO_COLOR'
            cand -q 'Print the result and errors only'
            cand --quiet 'Print the result and errors only'
            cand -v 'Print every endpoint and every answer'
            cand --verbose 'Print every endpoint and every answer'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ampls-doctor;judge'= {
            cand --format 'Format of the result'
            cand -o 'Write to this file instead of standard output (created 0600)'
            cand --output 'Write to this file instead of standard output (created 0600)'
            cand --fail-on 'Exit with 1 from this severity'
            cand --color 'Colour; auto obeys NO_COLOR'
            cand -q 'Print the result and errors only'
            cand --quiet 'Print the result and errors only'
            cand -v 'Print every endpoint and every answer'
            cand --verbose 'Print every endpoint and every answer'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ampls-doctor;explain'= {
            cand --color 'Colour; auto obeys NO_COLOR'
            cand --list 'List every code and name'
            cand -q 'Print the result and errors only'
            cand --quiet 'Print the result and errors only'
            cand -v 'Print every endpoint and every answer'
            cand --verbose 'Print every endpoint and every answer'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ampls-doctor;demo'= {
            cand --format 'Format of the result'
            cand -o 'Write to this file instead of standard output (created 0600)'
            cand --output 'Write to this file instead of standard output (created 0600)'
            cand --fail-on 'Exit with 1 from this severity'
            cand --color 'Colour; auto obeys NO_COLOR'
            cand --list 'List the worlds'
            cand -q 'Print the result and errors only'
            cand --quiet 'Print the result and errors only'
            cand -v 'Print every endpoint and every answer'
            cand --verbose 'Print every endpoint and every answer'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ampls-doctor;schema'= {
            cand --color 'Colour; auto obeys NO_COLOR'
            cand -q 'Print the result and errors only'
            cand --quiet 'Print the result and errors only'
            cand -v 'Print every endpoint and every answer'
            cand --verbose 'Print every endpoint and every answer'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ampls-doctor;completions'= {
            cand --color 'Colour; auto obeys NO_COLOR'
            cand -q 'Print the result and errors only'
            cand --quiet 'Print the result and errors only'
            cand -v 'Print every endpoint and every answer'
            cand --verbose 'Print every endpoint and every answer'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'ampls-doctor;man'= {
            cand --color 'Colour; auto obeys NO_COLOR'
            cand -q 'Print the result and errors only'
            cand --quiet 'Print the result and errors only'
            cand -v 'Print every endpoint and every answer'
            cand --verbose 'Print every endpoint and every answer'
            cand -h 'Print help'
            cand --help 'Print help'
        }
    ]
    $completions[$command]
}
