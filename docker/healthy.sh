#!/bin/sh
# Whether the service lives: its main thread must fall asleep and wake up again while we watch. While all is well it does
# so many times a second, if only to send heartbeats to Kafka; a thread that hangs, waiting or spinning, does not.
# Counts voluntary context switches of /proc, so that the service needs no port and no file for it.
set -u
watch_seconds=${1:-5}

# "node /usr/local/bin/kafka-delta run …" (`#!/usr/bin/env node`), but no shell or init around it.
service() {
  for file in /proc/[0-9]*/cmdline; do
    case "$(tr '\0' ' ' 2>/dev/null <"$file")" in
      node\ */kafka-delta\ run\ * | */node\ */kafka-delta\ run\ *)
        basename "$(dirname "$file")"
        return 0
        ;;
    esac
  done
  return 1
}

switches() {
  sed -n 's/^voluntary_ctxt_switches:[[:space:]]*//p' "/proc/$1/task/$1/status"
}

pid=$(service) || {
  echo 'no service runs'
  exit 1
}
before=$(switches "$pid") || exit 1
sleep "$watch_seconds"
after=$(switches "$pid") || exit 1
if [ "$after" -gt "$before" ]; then
  echo "alive: woke up $((after - before)) times in $watch_seconds s"
else
  echo "hangs: did not wake up within $watch_seconds s"
  exit 1
fi
