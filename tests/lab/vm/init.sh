#!/bin/sh
# PID 1 of the virtual machine: mounts what a node's systemd mounts, with cgroups of version 2 alone, starts what
# listens, and reaps what loses its parent. Whatever fails ends the machine; its console says where.
# Sourced: LAB_NODE, LAB_ADDRESS (with prefix length), LAB_GATEWAY.
set -eu
export PATH=/lab/programs/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
. /lab/environment

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t securityfs securityfs /sys/kernel/security
mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620 devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
mount --make-rshared /

# A cgroup that hands controllers down has no processes of its own (Documentation/admin-guide/cgroup-v2.rst).
mkdir /sys/fs/cgroup/init.scope /sys/fs/cgroup/system.slice
echo $$ >/sys/fs/cgroup/init.scope/cgroup.procs
for directory in /sys/fs/cgroup /sys/fs/cgroup/system.slice; do
	for controller in $(cat "$directory/cgroup.controllers"); do
		echo "+$controller" >"$directory/cgroup.subtree_control"
	done
done

hostname "$LAB_NODE"
modprobe -a virtio_net overlay veth br_netfilter nf_tables nft_chain_nat
ip link set lo up
ip address add "$LAB_ADDRESS" dev eth0
ip link set eth0 up
ip route add default via "$LAB_GATEWAY"
echo 1 >/proc/sys/net/ipv4/ip_forward

# Sessions of their own: nobody here is signalled for another.
setsid sh /lab/daemon.sh containerd containerd --config /lab/containerd.toml &
setsid sh /lab/daemon.sh serve python3 -IS /lab/serve.py "${LAB_ADDRESS%/*}" &
set +e
while :; do
	sleep 1000000 &
	wait $!
done
