#!/bin/sh
# Fetches ampls-doctor, verifies it, runs it and leaves nothing behind: for Azure Run Command on Linux, and for whatever
# else runs a script as root. README.md beside this file has the commands.
#
#   SOURCE     where the binary is: an https:// or http:// URL, a path on the machine, or vmapp:NAME for a VM application;
#              {arch} in it stands for what `uname -m` says
#   SHA256     its SHA-256 in hexadecimal; several, separated by commas, where machines differ
#   ARGUMENTS  for the program, separated by spaces; without a --format among them the report is `compact`
#
# Each may be written base64:..., for what Run Command does not carry unharmed (spaces, `&`).
# Status: 0 the machine was looked at, and the last line is the verdict; 2 wrong arguments; 3 it could not be looked at.

# shellcheck disable=SC2016 # messages show names in backticks
# shellcheck disable=SC2317 # called through `attended` and `trap`

set -fu
umask 077
LC_ALL=C

# Kilobytes that a place must have free, and blocks of 512 bytes that a binary may have (bash counts in 1,024).
room=16384
most=204800

work=
child=

leave() {
  [ -z "$work" ] || rm -rf -- "$work"
  work=
}

# A signal goes on to the program, which then reports what it has seen so far.
stop() {
  trap '' HUP INT TERM
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
  "$@" &
  child=$!
  { wait "$child"; } 2> /dev/null
  set -- "$?"
  child=
  return "$1"
}

decoded() {
  case $1 in
    base64:*) printf '%s' "${1#base64:}" | base64 -d 2> /dev/null ;;
    *) printf '%s' "$1" ;;
  esac
}

# Makes a folder of our own where programs may run and there is room: /tmp is often mounted noexec, /run always.
place() {
  for folder in "${TMPDIR:-}" /tmp /var/tmp /var/lib/waagent /var/lib /root; do
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

runs() {
  { printf '#!/bin/sh\n' > "$work/try" && chmod 700 "$work/try" && "$work/try"; } 2> /dev/null
}

# The URL goes to the program through a pipe: what stands on a command line, every user of the machine can read.
download() {
  ulimit -f "$most" 2> /dev/null
  if command -v curl > /dev/null 2>&1; then
    exec curl --config - --globoff --fail --silent --show-error --location --max-redirs 5 --proto '=http,https' \
      --connect-timeout 10 --max-time 120 --output "$work/binary" 2> "$work/said" << CONFIG
url = "$1"
CONFIG
  elif command -v wget > /dev/null 2>&1; then
    # What wget says of a failure has the whole URL in it.
    exec timeout 120 wget --input-file=- --quiet --timeout=10 --tries=1 --max-redirect=5 \
      --output-document="$work/binary" 2> /dev/null << URLS
$1
URLS
  fi
  printf 'neither curl nor wget is installed\n' > "$work/said"
  return 1
}

copy() {
  ulimit -f "$most" 2> /dev/null
  exec cp -- "$1" "$work/binary" 2> "$work/said"
}

# Ends with the reason that nothing could be fetched, from the status of what fetched it.
unfetched() {
  said=$(head -n 1 "$work/said" 2> /dev/null | cut -c 1-300 | tr -cd '[:print:]')
  # SIGXFSZ, and what curl and cp say where it is ignored.
  case $1:$said in
    153:* | *'File too large'*) said='larger than any binary of ampls-doctor' ;;
  esac
  fail "cannot fetch \`$shown\` ($1)${said:+: $said}"
}

# Holds the fetched file open as descriptor 9 and takes it from the disk: what is verified is what runs, and nothing stays
# even if we are killed. Fails when it is not the one that is wanted.
hold() {
  chmod 500 "$work/binary"
  exec 9< "$work/binary"
  rm -f -- "$work/binary"
  sum=$(sha256sum <&9) || fail '`sha256sum` is not installed'
  sum=${sum%% *}
  case ",$sums," in *",$sum,"*) return 0 ;; esac
  return 1
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

other() {
  fail "\`$shown\` has the SHA-256 $sum, which is not in \`SHA256\`: not run"
}

if ! { source=$(decoded "${SOURCE:-}") && sums=$(decoded "${SHA256:-}") && arguments=$(decoded "${ARGUMENTS:-}"); }; then
  fail 'what follows `base64:` is not base64' 2
fi
case $source in
  *'{arch}'*) source=${source%%'{arch}'*}$(uname -m)${source#*'{arch}'} ;;
esac
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
  # What is no character of a URL would end the line for curl, or the option.
  http://*[!A-Za-z0-9._~:/?#@!\$\&\'\(\)*+,\;=%-]* | https://*[!A-Za-z0-9._~:/?#@!\$\&\'\(\)*+,\;=%-]*)
    fail '`SOURCE` is not a URL: it has a character that no URL has' 2 ;;
  vmapp:*[!A-Za-z0-9._-]* | vmapp: | vmapp:.*) fail '`SOURCE` does not name a VM application' 2 ;;
  http://* | https://* | vmapp:* | /*) ;;
  *) fail '`SOURCE` is neither a URL, nor an absolute path, nor vmapp:NAME' 2 ;;
esac

place || fail "no folder has ${room} KB free and lets programs run (tried TMPDIR, /tmp, /var/tmp, /var/lib/waagent, /var/lib, /root)"

case $source in
  http://* | https://*)
    attended download "$source" || unfetched "$?"
    hold || other
    ;;
  /*)
    [ -f "$source" ] || fail "\`$shown\` is not a file on this machine"
    attended copy "$source" || unfetched "$?"
    hold || other
    ;;
  vmapp:*)
    held=
    set +f
    # https://learn.microsoft.com/azure/virtual-machines/vm-applications: a folder for each version; the SHA-256 chooses.
    for file in /var/lib/waagent/Microsoft.CPlat.Core.VMApplicationManagerLinux/"${source#vmapp:}"/*/*; do
      [ -f "$file" ] || continue
      attended copy "$file" || unfetched "$?"
      hold && held=yes && break
    done
    set -f
    [ -n "$held" ] || fail "no file of the VM application \`${source#vmapp:}\` has a SHA-256 of \`SHA256\`"
    ;;
esac
leave

fits || fail "the binary is not for \`$(uname -s) $(uname -m)\`"
case " $arguments " in
  *' --format '* | *' --format='*) ;;
  *) arguments="$arguments --format compact" ;;
esac
# shellcheck disable=SC2086 # words are what it is split into
attended /proc/self/fd/9 $arguments
status=$?
case $status in
  # A finding is no failure of the script: Run Command can lose the output of one that fails.
  0 | 1) exit 0 ;;
  126 | 127) fail 'the binary cannot be started here: another C library, or a policy that forbids it' ;;
  *) exit "$status" ;;
esac
