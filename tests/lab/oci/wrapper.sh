# What containerd takes for runc. The lines above this one, written at the lab's start, set RUNC, FAULTS, PYTHON
# and EDIT. It is runc, unchanged, except for the "create" of a container that may have a file in $FAULTS: one called
# like its id, or one below pods/.
container=
creates=no
for argument; do
	[ "$argument" = create ] && creates=yes
	container=$argument # runc's last argument is the container's id
done
if [ "$creates" = yes ] && { [ -e "$FAULTS/$container" ] || [ -e "$FAULTS/pods" ]; }; then
	"$PYTHON" -I "$EDIT" "$FAULTS" "$@" || exit 1
fi
exec "$RUNC" "$@"
