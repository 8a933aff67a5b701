# What containerd takes for runc. The lines above this one, written at the lab's start, set RUNC, FAULTS, PYTHON
# and EDIT. It is runc, unchanged, except for the "create" of a container that has a file in $FAULTS.
container=
creates=no
for argument; do
	[ "$argument" = create ] && creates=yes
	container=$argument # runc's last argument is the container's id
done
if [ "$creates" = yes ] && [ -e "$FAULTS/$container" ]; then
	"$PYTHON" -I "$EDIT" "$FAULTS/$container" "$@" || exit 1
fi
exec "$RUNC" "$@"
