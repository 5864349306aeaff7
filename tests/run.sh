#!/bin/bash
# The one command that tests netroom: installs the Debian packages that the tests talk to, then runs everything.
#
#   tests/run.sh            everything
#   tests/run.sh quick      format, lints and the tests that need no other program
#
# Without root, or without a package source, it names what is missing and goes on: a test whose peer is not there
# says so and does not count as passed. NETROOM_REQUIRE_ALL=1 turns every such skip into a failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mode=${1:-all}

# What the tests talk to: real agents, a real Prometheus, a real browser, namespaces for the lab.
packages="gcc libc6-dev curl iproute2 iputils-ping procps python3 socat snmp snmpd libsnmp-dev prometheus prometheus-snmp-exporter
  rrdtool fping tcpdump chromium nodejs npm e2fsprogs mount poppler-utils libfaketime nftables util-linux systemd softflowd nfdump nmap"

step() { printf '\n== %s\n' "$*"; }
die() { printf 'tests/run.sh: %s\n' "$*" >&2; exit 1; }

command -v cargo >/dev/null 2>&1 || die "cargo is missing: install Rust 1.95 or newer (Debian 12's own is older), then run this again"
version=$(rustc --version | sed 's/^rustc \([0-9]*\)\.\([0-9]*\).*/\1 \2/')
read -r major minor <<<"$version"
[ "$major" -gt 1 ] || [ "$minor" -ge 95 ] || die "Rust 1.95 or newer is needed, this is $(rustc --version)"

missing_packages() {
    local package
    for package in $packages; do
        # npm and node may have come another way.
        case $package in
            nodejs) command -v node >/dev/null 2>&1 && continue ;;
            npm) command -v npm >/dev/null 2>&1 && continue ;;
        esac
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$package"
    done
}

install_packages() {
    local missing
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        printf 'NOT INSTALLED, because this is not root: %s\n  to install them: sudo apt-get install --no-install-recommends %s\n' "$missing" "$missing" >&2
        return 0
    fi
    # Daemons that the packages bring must not start by themselves: the tests start their own.
    local policy=/usr/sbin/policy-rc.d
    local ours=
    if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' > $policy; chmod +x $policy; ours=yes; fi
    apt-get update -q || printf 'the package lists could not be refreshed; trying with the old ones\n' >&2
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $missing \
        || printf 'NOT INSTALLED, the package source refused: %s\n' "$missing" >&2
    [ -z "$ours" ] || rm -f $policy
}

step "format"
cargo fmt --check

if [ "$mode" = all ]; then
    step "packages"
    install_packages
fi

step "lints"
cargo clippy --locked --all-targets -- -D warnings

if [ "$mode" = quick ]; then
    step "tests that need no other program"
    cargo test --locked --lib --test house
    exit 0
fi

if [ -x .ci/deny.sh ]; then
    step "licences, bans, advisories"
    .ci/deny.sh
fi

if [ -f tests/web/package.json ]; then
    step "what the browser tests need"
    (cd tests/web && npm ci --no-audit --no-fund --ignore-scripts) || printf 'NOT INSTALLED: the browser tests will not run\n' >&2
fi

step "tests"
cargo test --locked --lib --bins --tests --no-fail-fast
cargo test --locked --doc

step "the first command of the README: the release build runs the demo"
cargo build --release --locked
tests/first-command.sh target/release/netroom
