#!/bin/sh
# Fetches ampls-doctor, verifies it, runs it and leaves nothing behind: for Azure Run Command on Linux, and for whatever
# else runs a script as root. README.md beside this file has the commands.
#
#   SOURCE     where the binary is: an https:// or http:// URL, a path on the machine, or vmapp:NAME for a VM application;
#              {arch} in it stands for what `uname -m` says
#   SHA256     its SHA-256 in hexadecimal; several, separated by commas, where machines differ
#   ARGUMENTS  for the program, separated by blanks; without a --format among them the report is `compact`, without a --splay the
#              look begins within a minute: machines that are started together do not ask their servers together; without a
#              --browsers only policies of browsers are looked at
#
# The script of a release (`prepare` made it) knows SOURCE and SHA256; a parameter comes first. Each may be written base64:...,
# for what Run Command does not carry unharmed (spaces, `&`).
# Status: 0 the machine was looked at, and the last line is the verdict; 2 wrong arguments; 3 it could not be looked at.

# shellcheck disable=SC2016 # messages show names in backticks
# shellcheck disable=SC2317 # called through `attended` and `trap`

set -fu
umask 077
export LC_ALL=C

# Kilobytes that a place must have free, and blocks of 512 bytes that a binary may have (bash counts in 1,024).
room=16384
most=204800

# `prepare` fills these two in.
RELEASE_SOURCE=
RELEASE_SHA256=

work=
child=
earlier=

leave() {
  [ -z "$work" ] || rm -rf -- "$work"
  work=
}

# A signal goes on to the program, which then reports what it has seen so far.
stop() {
  trap '' HUP INT TERM
  # A child that was started a moment ago, and has no name yet.
  if [ "$child" = started ]; then
    child=
    [ "${!-}" = "$earlier" ] || child=$!
  fi
  [ -z "$child" ] || { kill "$child" && wait "$child"; } 2> /dev/null
  exit "$1"
}

trap leave EXIT
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 143' TERM

fail() {
  printf 'run-command: %s\n' "$1" >&2
  exit "${2:-3}"
}

# A shell hears signals while it waits for a child, but not while it runs one. What it says of one that was killed is ours
# to say.
attended() {
  earlier=${!-}
  child=started
  "$@" &
  child=$!
  { wait "$child"; } 2> /dev/null
  set -- "$?"
  child=
  return "$1"
}

# A script or a parameter that was edited on Windows may end its lines with a carriage return.
decoded() {
  case $1 in
    base64:*) printf '%s' "${1#base64:}" | tr -d '\r' | base64 -d 2> /dev/null ;;
    *) printf '%s' "$1" | tr -d '\r' ;;
  esac
}

# Makes a folder of our own where programs may run and there is room: /tmp is often mounted noexec, /run always. The
# environment's TMPDIR could be anybody's.
place() {
  for folder in /tmp /var/tmp /var/lib/waagent /var/lib /root; do
    [ -d "$folder" ] || continue
    work=$(mktemp -d "$folder/ampls-doctor.XXXXXXXXXX" 2> /dev/null) || { work= && continue; }
    free=$(df -Pk "$work" 2> /dev/null | awk 'NR == 2 { print $4 }')
    if [ "${free:-0}" -ge "$room" ] && runs; then
      return 0
    fi
    leave
  done
  return 1
}

runs() (
  printf '#!/bin/sh\n' > "$work/try" && chmod 700 "$work/try" && "$work/try"
) 2> /dev/null

# Opens what is needed and takes it from the disk at once, so that nothing stays even if we are killed: 8 and 9 are the
# binary, 6 and 7 what its fetcher complains of, 4 the fetcher's input.
hold() {
  : > "$work/binary"
  chmod 700 "$work/binary"
  # shellcheck disable=SC2094 # nothing is read before it is written
  exec 8> "$work/binary" 9< "$work/binary" 6> "$work/said" 7< "$work/said"
  mkfifo "$work/input"
  # shellcheck disable=SC2094 # a pipe: with a name for as long as it takes to open it
  exec 5<> "$work/input" 4< "$work/input"
  leave
}

# The URL goes to the program through a pipe: what stands on a command line, every user of the machine can read.
download() {
  ulimit -f "$most" 2> /dev/null
  case $fetcher in
    curl)
      exec curl --config - --globoff --fail --silent --show-error --location --max-redirs 5 --proto '=http,https' \
        --connect-timeout 10 --max-time 120 <&4 >&8 2>&6
      ;;
    wget)
      # What wget says of a failure has the whole URL in it.
      exec timeout 120 wget --input-file=- --quiet --timeout=10 --tries=1 --max-redirect=5 --output-document=- \
        <&4 >&8 2> /dev/null
      ;;
  esac
}

copy() {
  ulimit -f "$most" 2> /dev/null
  exec timeout 120 cat -- "$1" >&8 2>&6
}

# Ends with the reason that nothing could be fetched, from the status of what fetched it.
unfetched() {
  said=$(head -n 1 <&7 | cut -c 1-300 | tr -cd '[:print:]')
  case $1:$said in
    # SIGXFSZ, and what curl and cat say where it is ignored.
    153:* | *'File too large'*) said='larger than any binary of ampls-doctor' ;;
    124:*) said='it took longer than 120 seconds' ;;
    *:?*) ;;
    4:) said='network failure' ;;
    5:) said='TLS failure' ;;
    8:) said='the server refused' ;;
  esac
  fail "cannot fetch \`$shown\` ($1)${said:+: $said}"
}

# Fails unless what was fetched is what is wanted. It is read through the descriptor that is run.
verify() {
  [ -s /proc/self/fd/9 ] || fail "\`$shown\` is empty"
  sum=$(sha256sum <&9)
  sum=${sum%% *}
  case ",$sums," in *",$sum,"*) return 0 ;; esac
  page=
  [ "$(head -c 1 /proc/self/fd/9)" != '<' ] || page=' (it is a web page: of a proxy, or for a login?)'
  fail "\`$shown\` has the SHA-256 $sum, which is not in \`SHA256\`: not run$page"
}

# What the kernel cannot run, a shell takes for a script: it must never come to that.
fits() {
  case $(uname -m) in
    x86_64) machine=3e00 ;;
    aarch64) machine=b700 ;;
    *) machine= ;;
  esac
  # ELF, and the machine at byte 18 (elf(5)).
  case $(od -An -tx1 -N20 /proc/self/fd/9 | tr -d ' \n') in
    7f454c46*"${machine:--}") return 0 ;;
  esac
  return 1
}

for tool in awk base64 cat chmod cut df head mkfifo mktemp od rm sed sha256sum timeout tr uname; do
  command -v "$tool" > /dev/null 2>&1 || fail "\`$tool\` is not installed"
done
[ -d /proc/self/fd ] || fail '`/proc` is not mounted'

if ! { source=$(decoded "${SOURCE:-$RELEASE_SOURCE}") && sums=$(decoded "${SHA256:-$RELEASE_SHA256}") && arguments=$(decoded "${ARGUMENTS:-}"); }; then
  fail 'what follows `base64:` is not base64' 2
fi
while :; do
  case $source in
    *'{arch}'*) source=${source%%'{arch}'*}$(uname -m)${source#*'{arch}'} ;;
    *) break ;;
  esac
done
# What stands before an at sign and after a question mark may be secret.
shown=$source
case $source in
  *://*) shown=$(printf '%s' "${source%%\?*}" | sed 's|://[^/]*@|://|') ;;
esac

sums=$(printf '%s' "$sums" | tr 'A-F' 'a-f' | tr -d ' ')
[ -n "$sums" ] || fail '`SHA256` is missing: set it to the SHA-256 of the binary' 2
IFS=,
for sum in $sums; do
  case $sum in *[!0-9a-f]*) sum= ;; esac
  [ "${#sum}" -eq 64 ] || fail '`SHA256` is not 64 hexadecimal digits' 2
done
unset IFS

case $source in
  '') fail '`SOURCE` is missing: set it to a URL, a path or vmapp:NAME' 2 ;;
  http://* | https://*)
    # What is not a character of a URL would end the line for curl, or the option.
    case $source in
      *[!][A-Za-z0-9._~:/?#@!\$\&\'\(\)*+,\;=%-]*) fail '`SOURCE` is not a URL: it has a character that no URL has' 2 ;;
    esac
    fetcher=curl
    command -v curl > /dev/null 2>&1 || fetcher=wget
    command -v "$fetcher" > /dev/null 2>&1 || fail 'neither `curl` nor `wget` is installed'
    ;;
  vmapp:*[!A-Za-z0-9._-]* | vmapp: | vmapp:.*) fail '`SOURCE` does not name a VM application' 2 ;;
  vmapp:*)
    # https://learn.microsoft.com/azure/virtual-machines/vm-applications: a folder for each version; the SHA-256 chooses.
    found=
    set +f
    for file in /var/lib/waagent/Microsoft.CPlat.Core.VMApplicationManagerLinux/"${source#vmapp:}"/*/*; do
      [ -f "$file" ] || continue
      sum=$(sha256sum < "$file")
      case ",$sums," in *",${sum%% *},"*) found=$file && break ;; esac
    done
    set -f
    [ -n "$found" ] || fail "no file of the VM application \`${source#vmapp:}\` has a SHA-256 of \`SHA256\`"
    source=$found
    ;;
  /*) [ -f "$source" ] || fail "\`$shown\` is not a file on this machine" ;;
  *) fail '`SOURCE` is neither a URL, nor an absolute path, nor vmapp:NAME' 2 ;;
esac

place || fail "no folder has ${room} KB free and lets programs run (tried /tmp, /var/tmp, /var/lib/waagent, /var/lib, /root)"
hold
case $source in
  /*)
    exec 5>&-
    attended copy "$source" || unfetched "$?"
    ;;
  *)
    case $fetcher in
      curl) printf 'url = "%s"\n' "$source" ;;
      wget) printf '%s\n' "$source" ;;
    esac >&5
    exec 5>&-
    attended download || unfetched "$?"
    ;;
esac
# A file that somebody has open for writing is not run.
exec 8>&-
verify
fits || fail "the binary is not for \`$(uname -s) $(uname -m)\`"

# The loader of a binary for another C library ends with status 1, as a finding does.
said=$(/proc/self/fd/9 --version 2>&1) ||
  fail "the binary cannot be started here ($?): $(printf '%s' "$said" | head -n 1 | cut -c 1-300 | tr -cd '[:print:]')"

# shellcheck disable=SC2086 # words are what it is split into
set -- $arguments
case ${1:-} in
  '' | -* | check | demo)
    format=compact
    splay=60
    browsers=policies
    [ "${1:-}" != demo ] || splay='' browsers=''
    for word in "$@"; do
      case $word in
        --format | --format=*) format= ;;
        --splay | --splay=*) splay= ;;
        --browsers | --browsers=*) browsers= ;;
      esac
    done
    [ -z "$format" ] || set -- "$@" --format "$format"
    [ -z "$splay" ] || set -- "$@" --splay "$splay"
    [ -z "$browsers" ] || set -- "$@" --browsers "$browsers"
    ;;
esac
attended /proc/self/fd/9 "$@"
status=$?
case $status in
  # A finding is not a failure of the script: Run Command can lose the output of one that fails.
  0 | 1) exit 0 ;;
  2 | 3) exit "$status" ;;
  *) fail "the program was ended: status $status" ;;
esac
