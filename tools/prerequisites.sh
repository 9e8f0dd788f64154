#!/usr/bin/env bash
# Says in one sentence what a machine lacks before anything is set up.
set -uo pipefail
python="${1:-python3}"

fail() {
  echo "madoguchi: $1" >&2
  exit 1
}

command -v "$python" >/dev/null || fail "Python 3.11 or newer is needed; install python3."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "Python 3.11 or newer is needed; $("$python" --version 2>&1) was found (make PYTHON=… names another)."
"$python" -c 'import ensurepip' 2>/dev/null ||
  fail "Python's venv is missing; install python3-venv."
command -v node >/dev/null || fail "Node 20 or newer is needed; install nodejs."
[ "$(node -p 'parseInt(process.versions.node)')" -ge 20 ] ||
  fail "Node 20 or newer is needed; $(node --version) was found."
command -v npm >/dev/null || fail "npm is needed; install npm."
