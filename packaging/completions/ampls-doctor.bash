_ampls__doctor() {
    local i cur prev opts cmd
    COMPREPLY=()
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        cur="$2"
    else
        cur="${COMP_WORDS[COMP_CWORD]}"
    fi
    prev="$3"
    cmd=""
    opts=""

    for i in "${COMP_WORDS[@]:0:COMP_CWORD}"
    do
        case "${cmd},${i}" in
            ",$1")
                cmd="ampls__doctor"
                ;;
            ampls__doctor,check)
                cmd="ampls__doctor__subcmd__check"
                ;;
            ampls__doctor,compare)
                cmd="ampls__doctor__subcmd__compare"
                ;;
            ampls__doctor,completions)
                cmd="ampls__doctor__subcmd__completions"
                ;;
            ampls__doctor,demo)
                cmd="ampls__doctor__subcmd__demo"
                ;;
            ampls__doctor,explain)
                cmd="ampls__doctor__subcmd__explain"
                ;;
            ampls__doctor,fleet)
                cmd="ampls__doctor__subcmd__fleet"
                ;;
            ampls__doctor,judge)
                cmd="ampls__doctor__subcmd__judge"
                ;;
            ampls__doctor,man)
                cmd="ampls__doctor__subcmd__man"
                ;;
            ampls__doctor,plan)
                cmd="ampls__doctor__subcmd__plan"
                ;;
            ampls__doctor,redact)
                cmd="ampls__doctor__subcmd__redact"
                ;;
            ampls__doctor,schema)
                cmd="ampls__doctor__subcmd__schema"
                ;;
            ampls__doctor,what-if)
                cmd="ampls__doctor__subcmd__what__subcmd__if"
                ;;
            *)
                ;;
        esac
    done

    case "${cmd}" in
        ampls__doctor)
            opts="-o -q -v -h -V --expect --cloud --region --workspace --dce --app-insights --storage --endpoint --set --ask-azure --view --private-range --public-roots --expected-records --resolver --proxy --browsers --timeout --deadline --repeat --only --root --skip --facts --wait --for --every --splay --format --ticket --output --redact --fail-on --rule --quiet --verbose --color --help --version check plan judge redact compare fleet what-if explain demo schema completions man"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 1 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --expect)
                    COMPREPLY=($(compgen -W "auto private public" -- "${cur}"))
                    return 0
                    ;;
                --cloud)
                    COMPREPLY=($(compgen -W "public usgov china AzureCloud AzureUSGovernment AzureChinaCloud" -- "${cur}"))
                    return 0
                    ;;
                --region)
                    COMPREPLY=($(compgen -W "asia asiapacific australia australiacentral australiacentral2 australiaeast australiasoutheast austriaeast belgiumcentral brazilsouth brazilsoutheast canadacentral canadaeast centralindia centralus centraluseuap chilecentral denmarkeast eastasia eastus eastus2 eastus2euap europe francecentral francesouth germanynorth germanywestcentral global indonesiacentral israelcentral italynorth japaneast japanwest jioindiacentral jioindiawest koreacentral koreasouth malaysiawest mexicocentral newzealandnorth northcentralus northeurope norwayeast norwaywest polandcentral qatarcentral southafricanorth southafricawest southcentralus southeastasia southindia spaincentral swedencentral swedensouth switzerlandnorth switzerlandwest taiwannorth uaecentral uaenorth uksouth ukwest westcentralus westeurope westindia westus westus2 westus3 usdodcentral usdodeast usgovarizona usgoviowa usgovtexas usgovvirginia chinaeast chinaeast2 chinaeast3 chinanorth chinanorth2 chinanorth3" -- "${cur}"))
                    return 0
                    ;;
                --workspace)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --dce)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --app-insights)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --set)
                    COMPREPLY=($(compgen -W "agent query app-insights portal automation arc all" -- "${cur}"))
                    return 0
                    ;;
                --ask-azure)
                    COMPREPLY=($(compgen -W "rules ingestion" -- "${cur}"))
                    return 0
                    ;;
                --view)
                    COMPREPLY=($(compgen -W "encrypted" -- "${cur}"))
                    return 0
                    ;;
                --private-range)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --public-roots)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --expected-records)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --resolver)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --proxy)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --browsers)
                    COMPREPLY=($(compgen -W "policies all none" -- "${cur}"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --deadline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --repeat)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --only)
                    COMPREPLY=($(compgen -W "dns tcp tls http imds agent browser proxy clock" -- "${cur}"))
                    return 0
                    ;;
                --root)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --skip)
                    COMPREPLY=($(compgen -W "dns tcp tls http imds agent browser proxy clock" -- "${cur}"))
                    return 0
                    ;;
                --facts)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --wait)
                    COMPREPLY=($(compgen -W "private healthy" -- "${cur}"))
                    return 0
                    ;;
                --for)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --every)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --splay)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "table json ndjson compact html markdown junit metrics" -- "${cur}"))
                    return 0
                    ;;
                --ticket)
                    COMPREPLY=($(compgen -W "dns network monitor os security" -- "${cur}"))
                    return 0
                    ;;
                --output)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -o)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --fail-on)
                    COMPREPLY=($(compgen -W "error warning never" -- "${cur}"))
                    return 0
                    ;;
                --rule)
                    COMPREPLY=($(compgen -W "AGT001=off AGT001=info AGT001=warning AGT001=error AGT002=off AGT002=info AGT002=warning AGT002=error AGT003=off AGT003=info AGT003=warning AGT003=error AGT004=off AGT004=info AGT004=warning AGT004=error AGT005=off AGT005=info AGT005=warning AGT005=error AGT006=off AGT006=info AGT006=warning AGT006=error AGT007=off AGT007=info AGT007=warning AGT007=error AGT008=off AGT008=info AGT008=warning AGT008=error AGT009=off AGT009=info AGT009=warning AGT009=error AZR001=off AZR001=info AZR001=warning AZR001=error AZR002=off AZR002=info AZR002=warning AZR002=error AZR003=off AZR003=info AZR003=warning AZR003=error AZR004=off AZR004=info AZR004=warning AZR004=error AZR005=off AZR005=info AZR005=warning AZR005=error AZR006=off AZR006=info AZR006=warning AZR006=error AZR007=off AZR007=info AZR007=warning AZR007=error AZR008=off AZR008=info AZR008=warning AZR008=error AZR009=off AZR009=info AZR009=warning AZR009=error BRW001=off BRW001=info BRW001=warning BRW001=error BRW002=off BRW002=info BRW002=warning BRW002=error BRW003=off BRW003=info BRW003=warning BRW003=error DNS001=off DNS001=info DNS001=warning DNS001=error DNS002=off DNS002=info DNS002=warning DNS002=error DNS003=off DNS003=info DNS003=warning DNS003=error DNS004=off DNS004=info DNS004=warning DNS004=error DNS005=off DNS005=info DNS005=warning DNS005=error DNS006=off DNS006=info DNS006=warning DNS006=error DNS007=off DNS007=info DNS007=warning DNS007=error DNS008=off DNS008=info DNS008=warning DNS008=error DNS009=off DNS009=info DNS009=warning DNS009=error DNS010=off DNS010=info DNS010=warning DNS010=error DNS011=off DNS011=info DNS011=warning DNS011=error DNS012=off DNS012=info DNS012=warning DNS012=error DNS013=off DNS013=info DNS013=warning DNS013=error DNS014=off DNS014=info DNS014=warning DNS014=error DNS015=off DNS015=info DNS015=warning DNS015=error DNS016=off DNS016=info DNS016=warning DNS016=error DNS017=off DNS017=info DNS017=warning DNS017=error DNS018=off DNS018=info DNS018=warning DNS018=error DNS019=off DNS019=info DNS019=warning DNS019=error DNS020=off DNS020=info DNS020=warning DNS020=error DNS021=off DNS021=info DNS021=warning DNS021=error DNS022=off DNS022=info DNS022=warning DNS022=error DNS023=off DNS023=info DNS023=warning DNS023=error DNS024=off DNS024=info DNS024=warning DNS024=error DNS025=off DNS025=info DNS025=warning DNS025=error HTP001=off HTP001=info HTP001=warning HTP001=error HTP002=off HTP002=info HTP002=warning HTP002=error HTP003=off HTP003=info HTP003=warning HTP003=error HTP004=off HTP004=info HTP004=warning HTP004=error HTP005=off HTP005=info HTP005=warning HTP005=error NET001=off NET001=info NET001=warning NET001=error NET002=off NET002=info NET002=warning NET002=error NET003=off NET003=info NET003=warning NET003=error NET004=off NET004=info NET004=warning NET004=error NET005=off NET005=info NET005=warning NET005=error NET006=off NET006=info NET006=warning NET006=error PRX001=off PRX001=info PRX001=warning PRX001=error PRX002=off PRX002=info PRX002=warning PRX002=error PRX003=off PRX003=info PRX003=warning PRX003=error PRX004=off PRX004=info PRX004=warning PRX004=error PRX005=off PRX005=info PRX005=warning PRX005=error RUN001=off RUN001=info RUN001=warning RUN001=error RUN002=off RUN002=info RUN002=warning RUN002=error RUN003=off RUN003=info RUN003=warning RUN003=error RUN004=off RUN004=info RUN004=warning RUN004=error TLS001=off TLS001=info TLS001=warning TLS001=error TLS002=off TLS002=info TLS002=warning TLS002=error TLS003=off TLS003=info TLS003=warning TLS003=error TLS004=off TLS004=info TLS004=warning TLS004=error TLS005=off TLS005=info TLS005=warning TLS005=error TLS006=off TLS006=info TLS006=warning TLS006=error TLS007=off TLS007=info TLS007=warning TLS007=error TLS008=off TLS008=info TLS008=warning TLS008=error TLS009=off TLS009=info TLS009=warning TLS009=error TLS010=off TLS010=info TLS010=warning TLS010=error" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ampls__doctor__subcmd__check)
            opts="-o -q -v -h --expect --cloud --region --workspace --dce --app-insights --storage --endpoint --set --ask-azure --view --private-range --public-roots --expected-records --resolver --proxy --browsers --timeout --deadline --repeat --only --root --skip --facts --wait --for --every --splay --format --ticket --output --redact --fail-on --rule --quiet --verbose --color --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --expect)
                    COMPREPLY=($(compgen -W "auto private public" -- "${cur}"))
                    return 0
                    ;;
                --cloud)
                    COMPREPLY=($(compgen -W "public usgov china AzureCloud AzureUSGovernment AzureChinaCloud" -- "${cur}"))
                    return 0
                    ;;
                --region)
                    COMPREPLY=($(compgen -W "asia asiapacific australia australiacentral australiacentral2 australiaeast australiasoutheast austriaeast belgiumcentral brazilsouth brazilsoutheast canadacentral canadaeast centralindia centralus centraluseuap chilecentral denmarkeast eastasia eastus eastus2 eastus2euap europe francecentral francesouth germanynorth germanywestcentral global indonesiacentral israelcentral italynorth japaneast japanwest jioindiacentral jioindiawest koreacentral koreasouth malaysiawest mexicocentral newzealandnorth northcentralus northeurope norwayeast norwaywest polandcentral qatarcentral southafricanorth southafricawest southcentralus southeastasia southindia spaincentral swedencentral swedensouth switzerlandnorth switzerlandwest taiwannorth uaecentral uaenorth uksouth ukwest westcentralus westeurope westindia westus westus2 westus3 usdodcentral usdodeast usgovarizona usgoviowa usgovtexas usgovvirginia chinaeast chinaeast2 chinaeast3 chinanorth chinanorth2 chinanorth3" -- "${cur}"))
                    return 0
                    ;;
                --workspace)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --dce)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --app-insights)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --set)
                    COMPREPLY=($(compgen -W "agent query app-insights portal automation arc all" -- "${cur}"))
                    return 0
                    ;;
                --ask-azure)
                    COMPREPLY=($(compgen -W "rules ingestion" -- "${cur}"))
                    return 0
                    ;;
                --view)
                    COMPREPLY=($(compgen -W "encrypted" -- "${cur}"))
                    return 0
                    ;;
                --private-range)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --public-roots)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --expected-records)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --resolver)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --proxy)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --browsers)
                    COMPREPLY=($(compgen -W "policies all none" -- "${cur}"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --deadline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --repeat)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --only)
                    COMPREPLY=($(compgen -W "dns tcp tls http imds agent browser proxy clock" -- "${cur}"))
                    return 0
                    ;;
                --root)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --skip)
                    COMPREPLY=($(compgen -W "dns tcp tls http imds agent browser proxy clock" -- "${cur}"))
                    return 0
                    ;;
                --facts)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --wait)
                    COMPREPLY=($(compgen -W "private healthy" -- "${cur}"))
                    return 0
                    ;;
                --for)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --every)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --splay)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "table json ndjson compact html markdown junit metrics" -- "${cur}"))
                    return 0
                    ;;
                --ticket)
                    COMPREPLY=($(compgen -W "dns network monitor os security" -- "${cur}"))
                    return 0
                    ;;
                --output)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -o)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --fail-on)
                    COMPREPLY=($(compgen -W "error warning never" -- "${cur}"))
                    return 0
                    ;;
                --rule)
                    COMPREPLY=($(compgen -W "AGT001=off AGT001=info AGT001=warning AGT001=error AGT002=off AGT002=info AGT002=warning AGT002=error AGT003=off AGT003=info AGT003=warning AGT003=error AGT004=off AGT004=info AGT004=warning AGT004=error AGT005=off AGT005=info AGT005=warning AGT005=error AGT006=off AGT006=info AGT006=warning AGT006=error AGT007=off AGT007=info AGT007=warning AGT007=error AGT008=off AGT008=info AGT008=warning AGT008=error AGT009=off AGT009=info AGT009=warning AGT009=error AZR001=off AZR001=info AZR001=warning AZR001=error AZR002=off AZR002=info AZR002=warning AZR002=error AZR003=off AZR003=info AZR003=warning AZR003=error AZR004=off AZR004=info AZR004=warning AZR004=error AZR005=off AZR005=info AZR005=warning AZR005=error AZR006=off AZR006=info AZR006=warning AZR006=error AZR007=off AZR007=info AZR007=warning AZR007=error AZR008=off AZR008=info AZR008=warning AZR008=error AZR009=off AZR009=info AZR009=warning AZR009=error BRW001=off BRW001=info BRW001=warning BRW001=error BRW002=off BRW002=info BRW002=warning BRW002=error BRW003=off BRW003=info BRW003=warning BRW003=error DNS001=off DNS001=info DNS001=warning DNS001=error DNS002=off DNS002=info DNS002=warning DNS002=error DNS003=off DNS003=info DNS003=warning DNS003=error DNS004=off DNS004=info DNS004=warning DNS004=error DNS005=off DNS005=info DNS005=warning DNS005=error DNS006=off DNS006=info DNS006=warning DNS006=error DNS007=off DNS007=info DNS007=warning DNS007=error DNS008=off DNS008=info DNS008=warning DNS008=error DNS009=off DNS009=info DNS009=warning DNS009=error DNS010=off DNS010=info DNS010=warning DNS010=error DNS011=off DNS011=info DNS011=warning DNS011=error DNS012=off DNS012=info DNS012=warning DNS012=error DNS013=off DNS013=info DNS013=warning DNS013=error DNS014=off DNS014=info DNS014=warning DNS014=error DNS015=off DNS015=info DNS015=warning DNS015=error DNS016=off DNS016=info DNS016=warning DNS016=error DNS017=off DNS017=info DNS017=warning DNS017=error DNS018=off DNS018=info DNS018=warning DNS018=error DNS019=off DNS019=info DNS019=warning DNS019=error DNS020=off DNS020=info DNS020=warning DNS020=error DNS021=off DNS021=info DNS021=warning DNS021=error DNS022=off DNS022=info DNS022=warning DNS022=error DNS023=off DNS023=info DNS023=warning DNS023=error DNS024=off DNS024=info DNS024=warning DNS024=error DNS025=off DNS025=info DNS025=warning DNS025=error HTP001=off HTP001=info HTP001=warning HTP001=error HTP002=off HTP002=info HTP002=warning HTP002=error HTP003=off HTP003=info HTP003=warning HTP003=error HTP004=off HTP004=info HTP004=warning HTP004=error HTP005=off HTP005=info HTP005=warning HTP005=error NET001=off NET001=info NET001=warning NET001=error NET002=off NET002=info NET002=warning NET002=error NET003=off NET003=info NET003=warning NET003=error NET004=off NET004=info NET004=warning NET004=error NET005=off NET005=info NET005=warning NET005=error NET006=off NET006=info NET006=warning NET006=error PRX001=off PRX001=info PRX001=warning PRX001=error PRX002=off PRX002=info PRX002=warning PRX002=error PRX003=off PRX003=info PRX003=warning PRX003=error PRX004=off PRX004=info PRX004=warning PRX004=error PRX005=off PRX005=info PRX005=warning PRX005=error RUN001=off RUN001=info RUN001=warning RUN001=error RUN002=off RUN002=info RUN002=warning RUN002=error RUN003=off RUN003=info RUN003=warning RUN003=error RUN004=off RUN004=info RUN004=warning RUN004=error TLS001=off TLS001=info TLS001=warning TLS001=error TLS002=off TLS002=info TLS002=warning TLS002=error TLS003=off TLS003=info TLS003=warning TLS003=error TLS004=off TLS004=info TLS004=warning TLS004=error TLS005=off TLS005=info TLS005=warning TLS005=error TLS006=off TLS006=info TLS006=warning TLS006=error TLS007=off TLS007=info TLS007=warning TLS007=error TLS008=off TLS008=info TLS008=warning TLS008=error TLS009=off TLS009=info TLS009=warning TLS009=error TLS010=off TLS010=info TLS010=warning TLS010=error" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ampls__doctor__subcmd__compare)
            opts="-o -q -v -h --format --output --fail-on --quiet --verbose --color --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --format)
                    COMPREPLY=($(compgen -W "table json" -- "${cur}"))
                    return 0
                    ;;
                --output)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -o)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --fail-on)
                    COMPREPLY=($(compgen -W "error warning never" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ampls__doctor__subcmd__completions)
            opts="-q -v -h --quiet --verbose --color --help bash elvish fish powershell zsh"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ampls__doctor__subcmd__demo)
            opts="-o -q -v -h --list --wait --for --every --splay --format --ticket --output --redact --fail-on --rule --quiet --verbose --color --help agent-delivers-nothing agent-on-global-handler agent-refused agent-repaired agent-reports-elsewhere agent-too-old agent-without-endpoint agents-folder-hangs agents-not-readable alias-in-the-configuration answers-flap answers-invented-elsewhere answers-invented arc-proxy-overrides ask-azure-arc ask-azure-endless ask-azure-endpoint-required ask-azure-failing ask-azure-foreign ask-azure-granted ask-azure-loop ask-azure-malformed ask-azure-no-identity ask-azure-no-rule ask-azure-no-upload-tokens ask-azure-refused ask-azure-several-identities ask-azure-throttled ask-azure-token-expired azure-dns-blocked azure-dns-from-outside azure-dns-from-premises black-hole blocked-by-policy blocked-by-response-policy browser-prefers-encrypted browser-secure-asked browser-secure-private browser-secure browsers-folder-hangs cgnat chain-incomplete china clock-ahead-ten-minutes clock-behind-an-hour clock-behind clock-within-bounds clock-years-ahead cloud-mismatch-workspace-gone cloud-mismatch cloud-unknown custom-dns-forwards-to-public custom-metrics-blocked dce-not-in-scope denied-by-a-root-zone dns-over-tcp-blocked empty-monitor-zone empty-zone-behind-fallback endpoint-association-missing endpoint-closed-to-public endpoint-older-than-the-blob-record endpoints-in-two-subnets expected-records-differ expired-clock-right expired fallback-to-internet forwarder-for-alias-zones forwarder-for-some-suffixes forwarder-forgets-one-name forwarder-keeps-records forwarder-second-server-incomplete garbage-answers handler-not-healthy healthy-private healthy-public healthy-unaliased hosts-entry-dead hosts-entry-public hosts-entry hosts-file-not-readable http-close http-endless-headers http-garbage http-silent hub-and-spoke hub-record-missing hub-without-one-zone hybrid-worker-blocked intercepted-and-expired intercepted-block-page intercepted-trusted intercepted-untrusted intermediate-missing ipv6-bypass ipv6-only led-to-a-block-page live-metrics-record-missing locked-down metadata-denied-to-the-agent metadata-denied metadata-hidden-from-the-agent metadata-hidden metadata-silent no-agent only-monitor-linked other-scope-answers other-scope-dead own-firewall path-mtu-black-hole plain-http-answers port-refused private-answers-filtered private-endpoint-resets private-port-dropped private-range-without-alias private-range private-wanted-public-found prometheus-query-from-outside proxy-cannot-reach proxy-catches-metadata proxy-dead-private proxy-dead proxy-denies proxy-exempts-private-names proxy-refused-by-isolation proxy-silent proxy-takes-private-names proxy-wants-credentials public-blocked public-path-dropped public-range-vnet public-through-proxy public-wanted-private-dead public-wanted-private-found public-wanted query-from-outside query-private-only record-missing-behind-fallback record-missing-private-wanted record-missing redirected-elsewhere refused-by-alert reset-after-client-hello resolved-routes-to-azure resolved-takes-all-publicly-listed-last resolved-takes-all-publicly resolver-file-hangs resolver-in-a-network-without-links roots-out-of-date ruleset-takes-public-names search-domain-answers second-dns-server-is-public second-workspace-missing self-signed server-answers-another-name server-closed server-drops-edns server-malformed server-recovers server-refused server-refuses-edns server-servfail server-silent-all server-silent-one server-unreachable servers-disagree servers-take-turns-at-a-local-zone servers-take-turns servers-unknown service-busy shadow-zone-that-works shared-dns-foreign-scope shell-proxy-takes-private-names sinkholed slow-dns slow-network some-addresses-dead split-brain-zone spoke-without-links stale-cache stale-record stub-upstream-silent stub-validates synthetic-addresses system-encrypted-dns system-encrypted-silent systemd-resolved tls-silent tls-too-old tls12-only truncated-dns-over-tcp truncated-twice two-faults-bypass-and-flaps two-faults-cache-and-deleted-workspace two-faults-cache-and-no-server two-faults-cache-and-servers two-faults-cache-and-silent-server two-faults-cache-and-zone two-faults-clock-and-interception two-faults-dns-and-tls two-faults-fallback-and-deleted-workspace two-faults-first-server-incomplete two-faults-forwarder-and-deleted-workspace two-faults-forwarder-and-record two-faults-hosts-and-ipv6 two-faults-hub-zone-and-block-list two-faults-ipv6-and-path two-faults-proxy-and-dns two-faults-record-and-forgotten-name two-faults-record-and-forgotten-suffix two-faults-record-and-inspection two-faults-ruleset-and-closed-network two-faults-server-and-port two-faults-servers two-faults-split-brain-and-hosts two-faults-suffix-hidden-by-local-zones two-faults-zone-and-hosts two-scopes-one-zone unexplained unreachable usgov windows-old-agent-zone-not-linked windows-policy-sends-names-elsewhere windows-policy-server-is-silent windows-root-updates-off windows-tls-switched-off with-ipv6 without-ipv6 workspace-beside-unscoped workspace-deleted workspace-unscoped-without-alias wrong-name zone-not-linked-monitor zone-not-linked-ods zone-not-linked-without-alias zone-not-linked-without-names zone-with-a-misspelt-name"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --wait)
                    COMPREPLY=($(compgen -W "private healthy" -- "${cur}"))
                    return 0
                    ;;
                --for)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --every)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --splay)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "table json ndjson compact html markdown junit metrics" -- "${cur}"))
                    return 0
                    ;;
                --ticket)
                    COMPREPLY=($(compgen -W "dns network monitor os security" -- "${cur}"))
                    return 0
                    ;;
                --output)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -o)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --fail-on)
                    COMPREPLY=($(compgen -W "error warning never" -- "${cur}"))
                    return 0
                    ;;
                --rule)
                    COMPREPLY=($(compgen -W "AGT001=off AGT001=info AGT001=warning AGT001=error AGT002=off AGT002=info AGT002=warning AGT002=error AGT003=off AGT003=info AGT003=warning AGT003=error AGT004=off AGT004=info AGT004=warning AGT004=error AGT005=off AGT005=info AGT005=warning AGT005=error AGT006=off AGT006=info AGT006=warning AGT006=error AGT007=off AGT007=info AGT007=warning AGT007=error AGT008=off AGT008=info AGT008=warning AGT008=error AGT009=off AGT009=info AGT009=warning AGT009=error AZR001=off AZR001=info AZR001=warning AZR001=error AZR002=off AZR002=info AZR002=warning AZR002=error AZR003=off AZR003=info AZR003=warning AZR003=error AZR004=off AZR004=info AZR004=warning AZR004=error AZR005=off AZR005=info AZR005=warning AZR005=error AZR006=off AZR006=info AZR006=warning AZR006=error AZR007=off AZR007=info AZR007=warning AZR007=error AZR008=off AZR008=info AZR008=warning AZR008=error AZR009=off AZR009=info AZR009=warning AZR009=error BRW001=off BRW001=info BRW001=warning BRW001=error BRW002=off BRW002=info BRW002=warning BRW002=error BRW003=off BRW003=info BRW003=warning BRW003=error DNS001=off DNS001=info DNS001=warning DNS001=error DNS002=off DNS002=info DNS002=warning DNS002=error DNS003=off DNS003=info DNS003=warning DNS003=error DNS004=off DNS004=info DNS004=warning DNS004=error DNS005=off DNS005=info DNS005=warning DNS005=error DNS006=off DNS006=info DNS006=warning DNS006=error DNS007=off DNS007=info DNS007=warning DNS007=error DNS008=off DNS008=info DNS008=warning DNS008=error DNS009=off DNS009=info DNS009=warning DNS009=error DNS010=off DNS010=info DNS010=warning DNS010=error DNS011=off DNS011=info DNS011=warning DNS011=error DNS012=off DNS012=info DNS012=warning DNS012=error DNS013=off DNS013=info DNS013=warning DNS013=error DNS014=off DNS014=info DNS014=warning DNS014=error DNS015=off DNS015=info DNS015=warning DNS015=error DNS016=off DNS016=info DNS016=warning DNS016=error DNS017=off DNS017=info DNS017=warning DNS017=error DNS018=off DNS018=info DNS018=warning DNS018=error DNS019=off DNS019=info DNS019=warning DNS019=error DNS020=off DNS020=info DNS020=warning DNS020=error DNS021=off DNS021=info DNS021=warning DNS021=error DNS022=off DNS022=info DNS022=warning DNS022=error DNS023=off DNS023=info DNS023=warning DNS023=error DNS024=off DNS024=info DNS024=warning DNS024=error DNS025=off DNS025=info DNS025=warning DNS025=error HTP001=off HTP001=info HTP001=warning HTP001=error HTP002=off HTP002=info HTP002=warning HTP002=error HTP003=off HTP003=info HTP003=warning HTP003=error HTP004=off HTP004=info HTP004=warning HTP004=error HTP005=off HTP005=info HTP005=warning HTP005=error NET001=off NET001=info NET001=warning NET001=error NET002=off NET002=info NET002=warning NET002=error NET003=off NET003=info NET003=warning NET003=error NET004=off NET004=info NET004=warning NET004=error NET005=off NET005=info NET005=warning NET005=error NET006=off NET006=info NET006=warning NET006=error PRX001=off PRX001=info PRX001=warning PRX001=error PRX002=off PRX002=info PRX002=warning PRX002=error PRX003=off PRX003=info PRX003=warning PRX003=error PRX004=off PRX004=info PRX004=warning PRX004=error PRX005=off PRX005=info PRX005=warning PRX005=error RUN001=off RUN001=info RUN001=warning RUN001=error RUN002=off RUN002=info RUN002=warning RUN002=error RUN003=off RUN003=info RUN003=warning RUN003=error RUN004=off RUN004=info RUN004=warning RUN004=error TLS001=off TLS001=info TLS001=warning TLS001=error TLS002=off TLS002=info TLS002=warning TLS002=error TLS003=off TLS003=info TLS003=warning TLS003=error TLS004=off TLS004=info TLS004=warning TLS004=error TLS005=off TLS005=info TLS005=warning TLS005=error TLS006=off TLS006=info TLS006=warning TLS006=error TLS007=off TLS007=info TLS007=warning TLS007=error TLS008=off TLS008=info TLS008=warning TLS008=error TLS009=off TLS009=info TLS009=warning TLS009=error TLS010=off TLS010=info TLS010=warning TLS010=error" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ampls__doctor__subcmd__explain)
            opts="-q -v -h --list --quiet --verbose --color --help AGT001 AGT002 AGT003 AGT004 AGT005 AGT006 AGT007 AGT008 AGT009 AZR001 AZR002 AZR003 AZR004 AZR005 AZR006 AZR007 AZR008 AZR009 BRW001 BRW002 BRW003 DNS001 DNS002 DNS003 DNS004 DNS005 DNS006 DNS007 DNS008 DNS009 DNS010 DNS011 DNS012 DNS013 DNS014 DNS015 DNS016 DNS017 DNS018 DNS019 DNS020 DNS021 DNS022 DNS023 DNS024 DNS025 HTP001 HTP002 HTP003 HTP004 HTP005 NET001 NET002 NET003 NET004 NET005 NET006 PRX001 PRX002 PRX003 PRX004 PRX005 RUN001 RUN002 RUN003 RUN004 TLS001 TLS002 TLS003 TLS004 TLS005 TLS006 TLS007 TLS008 TLS009 TLS010 ampls scope privatelink zone zones link linked ods oms registration agentsvc blob monitor configuration handler dce dcr rules ama mma arc workspace open imds metadata wireserver platform verdict private public mixed unresolved none healthy ok broken delivery delivers required optional need soa forwarder bypass fallback configured upstream extra silent timeout nxdomain nodata denied denies servfail formerr malformed truncated refused unreachable sinkholed sinkhole 403 404 400 401 intercepted root cause consequence consequences proven likely certainty redacted pseudonym pseudonyms digest agent-below-minimum no-agent agent-retired agent-not-running rule-without-endpoint two-agents workspace-not-reported-to agent-was-refused nothing-delivered metadata-silent clock-skew azure-dns-silent cloud-mismatch metadata-access-denied cloud-unknown no-rule-associated no-identity control-service-refuses secure-dns-forced secure-dns-preferred local-network-blocked no-private-route forwarder-bypasses-azure-dns zone-not-linked record-missing servers-disagree hosts-file-override stale-answer server-silent server-fails dns-tcp-blocked ipv6-bypass sinkholed no-such-name scopes-collide unexpected-address slow-resolution public-zone-shadowed system-encrypted-dns answer-flaps forwarder-incomplete local-zone-shadows search-domain-answer unexpected-private-route private-answers-filtered answers-invented access-denied-by-scope unexpected-answer endpoint-association-required service-error no-http-answer connect-timeout connect-refused no-route some-addresses-dead no-outbound-access path-mtu-black-hole proxy-takes-private-route proxy-wants-credentials proxy-unreachable proxy-refuses proxy-catches-metadata not-finished not-permitted unexplained-failure not-looked-at intercepted issuer-not-trusted wrong-name not-valid-now protocol-too-old handshake-reset handshake-stalled not-tls chain-incomplete system-tls-off"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ampls__doctor__subcmd__fleet)
            opts="-o -q -v -h --by --since --facts --format --output --fail-on --quiet --verbose --color --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --by)
                    COMPREPLY=($(compgen -W "region subnet subscription server zone code agent" -- "${cur}"))
                    return 0
                    ;;
                --since)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --facts)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "table json ndjson csv markdown html metrics" -- "${cur}"))
                    return 0
                    ;;
                --output)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -o)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --fail-on)
                    COMPREPLY=($(compgen -W "error warning never" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ampls__doctor__subcmd__judge)
            opts="-o -q -v -h --facts --format --ticket --output --redact --fail-on --rule --quiet --verbose --color --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --facts)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "table json ndjson compact html markdown junit metrics" -- "${cur}"))
                    return 0
                    ;;
                --ticket)
                    COMPREPLY=($(compgen -W "dns network monitor os security" -- "${cur}"))
                    return 0
                    ;;
                --output)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -o)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --fail-on)
                    COMPREPLY=($(compgen -W "error warning never" -- "${cur}"))
                    return 0
                    ;;
                --rule)
                    COMPREPLY=($(compgen -W "AGT001=off AGT001=info AGT001=warning AGT001=error AGT002=off AGT002=info AGT002=warning AGT002=error AGT003=off AGT003=info AGT003=warning AGT003=error AGT004=off AGT004=info AGT004=warning AGT004=error AGT005=off AGT005=info AGT005=warning AGT005=error AGT006=off AGT006=info AGT006=warning AGT006=error AGT007=off AGT007=info AGT007=warning AGT007=error AGT008=off AGT008=info AGT008=warning AGT008=error AGT009=off AGT009=info AGT009=warning AGT009=error AZR001=off AZR001=info AZR001=warning AZR001=error AZR002=off AZR002=info AZR002=warning AZR002=error AZR003=off AZR003=info AZR003=warning AZR003=error AZR004=off AZR004=info AZR004=warning AZR004=error AZR005=off AZR005=info AZR005=warning AZR005=error AZR006=off AZR006=info AZR006=warning AZR006=error AZR007=off AZR007=info AZR007=warning AZR007=error AZR008=off AZR008=info AZR008=warning AZR008=error AZR009=off AZR009=info AZR009=warning AZR009=error BRW001=off BRW001=info BRW001=warning BRW001=error BRW002=off BRW002=info BRW002=warning BRW002=error BRW003=off BRW003=info BRW003=warning BRW003=error DNS001=off DNS001=info DNS001=warning DNS001=error DNS002=off DNS002=info DNS002=warning DNS002=error DNS003=off DNS003=info DNS003=warning DNS003=error DNS004=off DNS004=info DNS004=warning DNS004=error DNS005=off DNS005=info DNS005=warning DNS005=error DNS006=off DNS006=info DNS006=warning DNS006=error DNS007=off DNS007=info DNS007=warning DNS007=error DNS008=off DNS008=info DNS008=warning DNS008=error DNS009=off DNS009=info DNS009=warning DNS009=error DNS010=off DNS010=info DNS010=warning DNS010=error DNS011=off DNS011=info DNS011=warning DNS011=error DNS012=off DNS012=info DNS012=warning DNS012=error DNS013=off DNS013=info DNS013=warning DNS013=error DNS014=off DNS014=info DNS014=warning DNS014=error DNS015=off DNS015=info DNS015=warning DNS015=error DNS016=off DNS016=info DNS016=warning DNS016=error DNS017=off DNS017=info DNS017=warning DNS017=error DNS018=off DNS018=info DNS018=warning DNS018=error DNS019=off DNS019=info DNS019=warning DNS019=error DNS020=off DNS020=info DNS020=warning DNS020=error DNS021=off DNS021=info DNS021=warning DNS021=error DNS022=off DNS022=info DNS022=warning DNS022=error DNS023=off DNS023=info DNS023=warning DNS023=error DNS024=off DNS024=info DNS024=warning DNS024=error DNS025=off DNS025=info DNS025=warning DNS025=error HTP001=off HTP001=info HTP001=warning HTP001=error HTP002=off HTP002=info HTP002=warning HTP002=error HTP003=off HTP003=info HTP003=warning HTP003=error HTP004=off HTP004=info HTP004=warning HTP004=error HTP005=off HTP005=info HTP005=warning HTP005=error NET001=off NET001=info NET001=warning NET001=error NET002=off NET002=info NET002=warning NET002=error NET003=off NET003=info NET003=warning NET003=error NET004=off NET004=info NET004=warning NET004=error NET005=off NET005=info NET005=warning NET005=error NET006=off NET006=info NET006=warning NET006=error PRX001=off PRX001=info PRX001=warning PRX001=error PRX002=off PRX002=info PRX002=warning PRX002=error PRX003=off PRX003=info PRX003=warning PRX003=error PRX004=off PRX004=info PRX004=warning PRX004=error PRX005=off PRX005=info PRX005=warning PRX005=error RUN001=off RUN001=info RUN001=warning RUN001=error RUN002=off RUN002=info RUN002=warning RUN002=error RUN003=off RUN003=info RUN003=warning RUN003=error RUN004=off RUN004=info RUN004=warning RUN004=error TLS001=off TLS001=info TLS001=warning TLS001=error TLS002=off TLS002=info TLS002=warning TLS002=error TLS003=off TLS003=info TLS003=warning TLS003=error TLS004=off TLS004=info TLS004=warning TLS004=error TLS005=off TLS005=info TLS005=warning TLS005=error TLS006=off TLS006=info TLS006=warning TLS006=error TLS007=off TLS007=info TLS007=warning TLS007=error TLS008=off TLS008=info TLS008=warning TLS008=error TLS009=off TLS009=info TLS009=warning TLS009=error TLS010=off TLS010=info TLS010=warning TLS010=error" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ampls__doctor__subcmd__man)
            opts="-q -v -h --quiet --verbose --color --help check plan judge redact compare fleet what-if explain demo schema completions man"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ampls__doctor__subcmd__plan)
            opts="-o -q -v -h --expect --cloud --region --workspace --dce --app-insights --storage --endpoint --set --ask-azure --view --private-range --public-roots --expected-records --resolver --proxy --browsers --timeout --deadline --repeat --only --root --skip --format --output --quiet --verbose --color --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --expect)
                    COMPREPLY=($(compgen -W "auto private public" -- "${cur}"))
                    return 0
                    ;;
                --cloud)
                    COMPREPLY=($(compgen -W "public usgov china AzureCloud AzureUSGovernment AzureChinaCloud" -- "${cur}"))
                    return 0
                    ;;
                --region)
                    COMPREPLY=($(compgen -W "asia asiapacific australia australiacentral australiacentral2 australiaeast australiasoutheast austriaeast belgiumcentral brazilsouth brazilsoutheast canadacentral canadaeast centralindia centralus centraluseuap chilecentral denmarkeast eastasia eastus eastus2 eastus2euap europe francecentral francesouth germanynorth germanywestcentral global indonesiacentral israelcentral italynorth japaneast japanwest jioindiacentral jioindiawest koreacentral koreasouth malaysiawest mexicocentral newzealandnorth northcentralus northeurope norwayeast norwaywest polandcentral qatarcentral southafricanorth southafricawest southcentralus southeastasia southindia spaincentral swedencentral swedensouth switzerlandnorth switzerlandwest taiwannorth uaecentral uaenorth uksouth ukwest westcentralus westeurope westindia westus westus2 westus3 usdodcentral usdodeast usgovarizona usgoviowa usgovtexas usgovvirginia chinaeast chinaeast2 chinaeast3 chinanorth chinanorth2 chinanorth3" -- "${cur}"))
                    return 0
                    ;;
                --workspace)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --dce)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --app-insights)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --endpoint)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --set)
                    COMPREPLY=($(compgen -W "agent query app-insights portal automation arc all" -- "${cur}"))
                    return 0
                    ;;
                --ask-azure)
                    COMPREPLY=($(compgen -W "rules ingestion" -- "${cur}"))
                    return 0
                    ;;
                --view)
                    COMPREPLY=($(compgen -W "encrypted" -- "${cur}"))
                    return 0
                    ;;
                --private-range)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --public-roots)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --expected-records)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --resolver)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --proxy)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --browsers)
                    COMPREPLY=($(compgen -W "policies all none" -- "${cur}"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --deadline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --repeat)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --only)
                    COMPREPLY=($(compgen -W "dns tcp tls http imds agent browser proxy clock" -- "${cur}"))
                    return 0
                    ;;
                --root)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --skip)
                    COMPREPLY=($(compgen -W "dns tcp tls http imds agent browser proxy clock" -- "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "table json firewall" -- "${cur}"))
                    return 0
                    ;;
                --output)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -o)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ampls__doctor__subcmd__redact)
            opts="-o -q -v -h --format --output --quiet --verbose --color --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --format)
                    COMPREPLY=($(compgen -W "table json ndjson compact html markdown junit metrics" -- "${cur}"))
                    return 0
                    ;;
                --output)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -o)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ampls__doctor__subcmd__schema)
            opts="-q -v -h --quiet --verbose --color --help report fleet fleet-row what-if azure-facts"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ampls__doctor__subcmd__what__subcmd__if)
            opts="-o -q -v -h --change --like --facts --allow-unknown --format --output --quiet --verbose --color --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --change)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --like)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --facts)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "table json" -- "${cur}"))
                    return 0
                    ;;
                --output)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -o)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
    esac
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _ampls__doctor -o nosort -o bashdefault -o default ampls-doctor
else
    complete -F _ampls__doctor -o bashdefault -o default ampls-doctor
fi
