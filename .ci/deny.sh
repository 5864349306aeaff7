#!/bin/bash
# Licences, banned crates, sources and advisories of everything that is built in (deny.toml), with cargo-deny.
#
# The advisories come from a snapshot when there is one: NETROOM_ADVISORY_DB=FILE.tar.gz, or the newest
# ../shared/data/rustsec-advisory-db-*.tar.gz. Else they are fetched; without a network that part is left out, loudly.
# NETROOM_REQUIRE_ALL=1 turns everything that is left out into a failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

left_out() {
    printf '\n!! LEFT OUT: %s\n\n' "$*" >&2
    [ "${NETROOM_REQUIRE_ALL:-}" != 1 ]
}

if ! command -v cargo-deny >/dev/null 2>&1; then
    left_out "cargo-deny is not installed, so nobody checks licences, bans, sources and advisories: cargo install --locked cargo-deny"
    exit
fi

# The licences of all targets are read from the crates themselves.
if ! cargo fetch --locked --quiet; then
    left_out "the crates cannot be fetched, so nobody checks licences, bans, sources and advisories"
    exit
fi

cargo deny --locked --offline check --hide-inclusion-graph licenses bans sources

snapshot=${NETROOM_ADVISORY_DB:-}
if [ -z "$snapshot" ]; then
    for file in "${NETROOM_SHARED:-../shared}"/data/rustsec-advisory-db-*.tar.gz; do
        [ ! -f "$file" ] || snapshot=$file
    done
fi

if [ -n "$snapshot" ]; then
    # The name is made by cargo-deny from the address of the database; FETCH_HEAD says how old it is.
    database=target/advisory-dbs/advisory-db-3157b0e258782691
    rm -rf "$database"
    mkdir -p "$database"
    tar -xzf "$snapshot" -C "$database"
    git -C "$database" init -q
    git -C "$database" add -A
    git -C "$database" -c user.name=snapshot -c user.email=snapshot@localhost -c commit.gpgsign=false commit -qm "$(basename "$snapshot")"
    touch "$database/.git/FETCH_HEAD"
    printf 'advisories from %s\n' "$(basename "$snapshot")"
    cargo deny --locked --offline check --hide-inclusion-graph advisories
elif cargo deny fetch db >/dev/null 2>&1; then
    cargo deny --locked check --hide-inclusion-graph advisories
else
    left_out "there is neither a snapshot of the advisories (NETROOM_ADVISORY_DB) nor a way to fetch them"
fi
