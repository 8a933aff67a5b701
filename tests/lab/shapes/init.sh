#!/bin/sh
# PID 1 of a node that has a PID namespace of its own: reaps what loses its parent there, as a node's systemd does. What
# a shim leaves behind would stay as zombies otherwise. It ends by SIGKILL from outside, and everything there with it.
while :; do
	sleep 1000000 &
	wait $!
done
