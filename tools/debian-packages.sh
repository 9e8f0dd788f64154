#!/usr/bin/env bash
# Makes sure of what the tests need beside Python and Node: two browsers, Japanese type, Pango, ip,
# nft, coturn, clamd, rsyslog, pdftotext, a C compiler.
# On Debian as root or with sudo it installs what is missing; elsewhere it says what to install.
set -euo pipefail

missing=()
have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ]; }
have_type() {
  compgen -G "/usr/share/fonts/opentype/noto/NotoSansCJK*" >/dev/null ||
    { have fc-list && [ -n "$(fc-list :lang=ja family 2>/dev/null)" ]; }
}
{ have cc || have gcc; } || missing+=(gcc libc6-dev)
have chromium || missing+=(chromium)
have firefox-esr || missing+=(firefox-esr)
have_type || missing+=(fonts-noto-cjk)
compgen -G "/usr/lib/*/libpangoft2-1.0.so.0" >/dev/null || missing+=(libpango-1.0-0 libpangoft2-1.0-0)
compgen -G "/usr/lib/*/libharfbuzz-subset.so.0" >/dev/null || missing+=(libharfbuzz-subset0)
have pdftotext || missing+=(poppler-utils)
have ip || missing+=(iproute2)
have nft || missing+=(nftables)
have turnserver || missing+=(coturn)
have clamd || missing+=(clamav-daemon)
{ have rsyslogd && compgen -G "/usr/lib/*/rsyslog/lmnsd_ossl.so" >/dev/null; } || missing+=(rsyslog rsyslog-openssl)
[ ${#missing[@]} -eq 0 ] && exit 0

give_up() {
  echo "The tests need ${missing[*]}: $1" >&2
  exit 1
}

name="$(. /etc/os-release 2>/dev/null && echo "${ID:-}")"
[ "$name" = debian ] && have apt-get ||
  give_up "install them with this system's package manager (names as in Debian), then run again."
if [ "$(id -u)" -eq 0 ]; then
  as_root=()
elif have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
  as_root=(sudo)
else
  give_up "run as root: apt-get install ${missing[*]}"
fi

echo "Installing ${missing[*]} ..."
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -qq -y --no-install-recommends "${missing[@]}"
}
if ! install >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  give_up "apt-get could not install them (its last words are above)."
fi
