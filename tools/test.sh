#!/usr/bin/env bash
# Runs everything that `make test` promises, group by group, and fails if any of them failed.
# Nothing is skipped silently: a skipped test counts as a failure.
set -uo pipefail
cd "$(dirname "$0")/.."

BIN=.venv/bin
colour=()
[ -t 1 ] && colour=(--color=yes)
summary=()
failed=0
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

group() {
  local name="$1"
  shift
  local began=$SECONDS state=ok
  printf '\n== %s\n' "$name"
  "$@" || { state=FAILED failed=1; }
  local took=$((SECONDS - began))
  summary+=("$(printf '%-16s %-7s %4d s  %s' "$name" "$state" "$took" "${closing:-}")")
  closing=""
}

# Runs pytest with the options in $WORKERS and keeps its closing line for the end. Tests that fail
# are run once more by themselves, one after another, since a machine that does other work loses
# packets and time; whichever needed that is named in the summary, and one that fails twice has
# failed.
closing=""
run_pytest() {
  local log="$work/pytest.log" status again=""
  # shellcheck disable=SC2086
  "$BIN/pytest" "${colour[@]}" $WORKERS "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  if [ "$status" -eq 1 ]; then
    again="$(sed -e 's/\x1b\[[0-9;]*m//g' "$log" | grep -E '^(FAILED|ERROR) ' | cut -d' ' -f2 | paste -sd' ')"
    printf '\n-- once more: %s\n' "$again"
    "$BIN/pytest" "${colour[@]}" --last-failed --last-failed-no-failures none "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
  fi
  closing="$(tail -n 1 "$log" | sed -e 's/\x1b\[[0-9;]*m//g' -e 's/^=* *//' -e 's/ *=*$//')"
  if grep -Eq '[0-9]+ skipped' <<<"$closing"; then
    echo "A test was skipped; none may be." >&2
    return 1
  fi
  [ -z "$again" ] || closing="$closing; needed a second run: $again"
  return "$status"
}

run_node() {
  local log="$work/node.log" status
  node --test --test-reporter=spec tests/js/*.test.js 2>&1 | tee "$log" | grep -Ev '^ *(✔|▶)'
  status=${PIPESTATUS[0]}
  closing="$(sed -nE 's/^ℹ (pass|fail|skipped) ([0-9]+)$/\2 \1/p' "$log" | paste -sd, | sed 's/,/, /g')"
  if grep -Eq '[1-9][0-9]* skipped' <<<"$closing"; then
    echo "A test was skipped; none may be." >&2
    return 1
  fi
  return "$status"
}

group "ruff check" "$BIN/ruff" check .
group "ruff format" "$BIN/ruff" format --check .
group "eslint" node_modules/.bin/eslint --max-warnings 0 static tests/js tools
group "mypy" "$BIN/mypy"
group "mypy tests" "$BIN/mypy" tests tools
group "tsc" node_modules/.bin/tsc -p static/jsconfig.json
group "node --test" run_node
WORKERS="-n 2 --dist worksteal" group "pytest" run_pytest --durations 12 -m "not browser"
WORKERS="" group "pytest browser" run_pytest --durations 12 -m browser tests/browser

printf '\n== Summary\n'
printf '%s\n' "${summary[@]}"
if [ "$failed" -ne 0 ]; then
  echo "Something failed." >&2
  exit 1
fi
echo "All went well."
