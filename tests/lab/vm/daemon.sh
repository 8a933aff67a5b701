#!/bin/sh
# `daemon.sh NAME COMMAND...` becomes COMMAND in a cgroup called as that of a unit of systemd, writing to a log.
set -eu
name=$1
shift
cgroup=/sys/fs/cgroup/system.slice/$name.service
mkdir -p "$cgroup"
echo $$ >"$cgroup/cgroup.procs"
touch "/run/$name.started"
exec "$@" >>"/var/log/$name.log" 2>&1 </dev/null
