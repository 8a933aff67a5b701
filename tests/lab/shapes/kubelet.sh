#!/bin/sh
# The way to a kubelet: `kubelet.sh outside COMMAND...`, run in the lab's namespaces, becomes COMMAND in a mount
# namespace just below the lab's. The volumes that a kubelet mounts lie in the lab's directories, and reach containerd;
# what is mounted here to keep the kubelet off the machine does not.
# From the environment: LAB_TUNABLES (a directory).
set -eu
stage=$1
shift

if [ "$stage" = outside ]; then
	exec unshare --mount --propagation unchanged sh "$0" inside "$@"
fi
mount --make-private /
mount --make-private /proc
# A kubelet makes links in /var/log/containers, whatever its settings say.
mount -t tmpfs -o mode=755 pausewatch-lab /var/log

# A kubelet sets these for the whole machine (pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables), unless
# it reads the value it wants: let it.
mkdir -p "$LAB_TUNABLES"
tunable() {
	file=$LAB_TUNABLES/$(echo "$1" | tr / .)
	echo "$2" >"$file"
	mount --bind "$file" "/proc/sys/$1"
}
tunable vm/overcommit_memory 1
tunable vm/panic_on_oom 0
tunable kernel/panic 10
tunable kernel/panic_on_oops 1
tunable kernel/keys/root_maxkeys 1000000
tunable kernel/keys/root_maxbytes 25000000
exec "$@"
