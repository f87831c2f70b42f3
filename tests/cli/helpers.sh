# Sourced by the tests of the command line. $1 of each is the program. A test says what has to hold:
#   check "name" COMMAND…        the command's status is 0
#   gives STATUS COMMAND…        runs it (stdout in $out, stderr in $err), true when the status is STATUS
#   has FILE TEXT / hasnt        the file holds the text
# Run by hand: tests/cli/contracts_test .build/release/llmkit
set -uo pipefail
llmkit=$(realpath "$1")
documents=$(realpath "${2:-.}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source=$(cd "$here/../.." && pwd)
for variable in "${!LLMKIT_@}"; do unset "$variable"; done
scratch=$(mktemp -d)
out=$scratch/.out err=$scratch/.err
failures=0
cd "$scratch"
trap 'rm -rf "$scratch"' EXIT

llmkit() { "$llmkit" "$@"; }

gives() {
  local wanted=$1 status
  shift
  "$@" >"$out" 2>"$err"
  status=$?
  [ "$status" -eq "$wanted" ] || { echo "status $status instead of $wanted: $*; stderr: $(head -c 300 "$err")"; return 1; }
}
has() { grep -qF -e "$2" "$1" || { echo "'$2' is not in: $(head -c 300 "$1")"; return 1; }; }
hasnt() { ! grep -qF -e "$2" "$1" || { echo "'$2' is in: $(head -c 300 "$1")"; return 1; }; }
one_line() { [ "$(wc -l <"$1")" -eq 1 ] || { echo "not one line: $(head -c 300 "$1")"; return 1; }; }
same() { cmp -s "$1" "$2" || { echo "$1 and $2 differ"; return 1; }; }
missing() { [ ! -e "$1" ] || { echo "$1 exists"; return 1; }; }

check() {
  local name=$1 said
  shift
  if said=$("$@" 2>&1); then
    echo "ok $name"
  else
    echo "FAIL $name: $(tr '\n' ' ' <<<"$said" | head -c 600)"
    failures=$((failures + 1))
  fi
}
skip() { echo "skip $1: $2"; }
have() { "$llmkit" "$1" --help >/dev/null 2>&1; }
finish() { exit $((failures > 0)); }
