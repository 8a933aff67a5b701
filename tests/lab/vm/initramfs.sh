#!/bin/busybox sh
# The first program of the virtual machine. Its kernel has the drivers of its disks as modules: load them, in the order
# in which they need each other, then hand over to the disk. Whatever fails ends the machine; its console says where.
set -eu
/bin/busybox mount -t devtmpfs devtmpfs /dev
for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk; do
	/bin/busybox insmod "/modules/$module.ko"
done
# vda: the system; what is written there is gone with the machine. vdb: programs. vdc: Python packages. vdd: a tar
# archive, made at each start, of what this one machine is told.
/bin/busybox mount -t ext4 /dev/vda /disk
/bin/busybox mount -t tmpfs -o mode=755 tmpfs /disk/run
/bin/busybox mount -t ext4 -o ro /dev/vdb /disk/lab/programs
/bin/busybox mount -t ext4 -o ro /dev/vdc /disk/lab/packages
/bin/busybox tar -x -f /dev/vdd -C /disk
/bin/busybox mount --move /dev /disk/dev
exec /bin/busybox switch_root /disk /bin/sh /lab/init.sh
