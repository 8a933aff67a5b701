#!/bin/sh
# The way into a lab: `enter.sh outside COMMAND...` moves itself into the lab's cgroups and into new mount and network
# namespaces, and becomes COMMAND there. Everything it mounts is private to the lab and ends with its last process.
# From the environment: LAB_CGROUPS (directories, separated by spaces), LAB_RUN, LAB_STATE, and LAB_UNSHARE: what more
# unshare(1) is told. With --pid, COMMAND is PID 1, and /proc shows what it can see.
set -eu
stage=$1
shift

case $stage in
outside)
	for cgroup in $LAB_CGROUPS; do
		echo $$ >"$cgroup/cgroup.procs"
	done
	# private: nothing mounted from here on is seen by the machine, nor the other way round.
	exec unshare --mount --net --propagation private $LAB_UNSHARE sh "$0" inside "$@"
	;;
inside)
	[ $$ -ne 1 ] || mount -t proc proc /proc
	# /run and /var/lib are the lab's own (network namespace pins, runc's and CNI's state), but for its two
	# directories: carry them over. The first move passes through LAB_STATE, which is not hidden yet.
	mkdir -p "$LAB_STATE/carry"
	mount --bind "$LAB_RUN" "$LAB_STATE/carry"
	mount -t tmpfs -o mode=755 pausewatch-lab /run
	mkdir -p "$LAB_RUN" /run/carry
	mount --move "$LAB_STATE/carry" "$LAB_RUN"
	mount --bind "$LAB_STATE" /run/carry
	mount -t tmpfs -o mode=755 pausewatch-lab /var/lib
	mkdir -p "$LAB_STATE"
	mount --move /run/carry "$LAB_STATE"
	# shared among the lab's own: CNI's pins and the containers' mounts have to reach each other.
	mount --make-rshared /
	ip link set lo up
	echo 1 >/proc/sys/net/ipv4/ip_forward
	exec "$@"
	;;
esac
