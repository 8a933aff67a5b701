#!/bin/sh
# What people type today to compare namespaces by hand: for each pause and container, ask the runtime for its pid, and
# read its links. crictl itself can not be built from public registries; containerd's own client is as large a program,
# and asks the runtime once as crictl does.
#
# usage: typed_loop.sh CTR SOCKET ID...
set -eu
ctr=$1
socket=$2
shift 2
for id; do
  # Each call warns that cgroup v1 is deprecated.
  pid=$("$ctr" --address "$socket" --namespace k8s.io tasks ls 2>/dev/null | awk -v id="$id" '$1 == id { print $2 }')
  readlink "/proc/$pid/ns/net" "/proc/$pid/ns/ipc" "/proc/$pid/ns/uts" "/proc/$pid/ns/pid" "/proc/$pid/ns/user"
done
