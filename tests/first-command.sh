#!/bin/bash
# Runs the README's first command as a newcomer would, and looks: does the dashboard answer, do its graphs move
# within a minute, does it stop within ten seconds?
#
#   tests/first-command.sh PATH-OF-NETROOM
set -euo pipefail
netroom=$1
dir=$(mktemp -d)
log=$dir/log
trap 'kill -9 $pid 2>/dev/null || true; rm -rf "$dir"' EXIT

"$netroom" demo --data "$dir/data" --listen 127.0.0.1:0 >"$dir/out" 2>"$log" &
pid=$!

fail() { printf 'first command: %s\n' "$*" >&2; tail -n 30 "$log" "$dir/out" >&2; exit 1; }
wait_for() { # seconds, what, command...
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        kill -0 $pid 2>/dev/null || fail "the program ended while waiting for $what"
        [ $SECONDS -lt $end ] || fail "no $what in time"
        sleep 0.5
    done
}
address() { url=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$dir/out" | head -n 1) && [ -n "$url" ]; }
page() { curl -fsS -H "Accept-Language: ${2:-en}" "$url$1" 2>/dev/null; }
polled() { [[ $(page /metrics) =~ netroom_polls_total\{result=\"ok\"\}\ [1-9] ]]; }
total() { page /metrics/ports | awk '/^netroom_port_in_octets_total/ { sum += $NF } END { printf "%.0f\n", sum }'; }
moved() { [ "$(total)" -gt "$first" ]; }

wait_for 120 "address of the dashboard" address
wait_for 60 "successful poll" polled
first=$(total)
wait_for 60 "movement of the graphs" moved
[[ $(page / zh) == *总览* ]] || fail "the overview is not in Chinese"
[[ $(page / en) == *Overview* ]] || fail "the overview is not in English"

kill -TERM $pid
end=$((SECONDS + 10))
while kill -0 $pid 2>/dev/null; do
    [ $SECONDS -lt $end ] || fail "it did not stop within ten seconds"
    sleep 0.2
done
printf 'first command: the demo polls, its graphs move, and it stops\n'
