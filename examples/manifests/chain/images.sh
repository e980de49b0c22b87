# Sourced by tests: the image that the chain begins with, made from busybox. $oci_image is ci/oci-image.
# shellcheck shell=bash

# make_base LAYOUT TAG MOTD: a base image with a shell and a web server.
make_base() {
	local root applet busybox
	busybox=$(command -v busybox)
	root=$(mktemp -d)
	mkdir -p "$root"/{bin,etc,tmp,root,usr/bin}
	cp "$busybox" "$root/bin/busybox"
	for applet in sh cat chmod chown cp echo env find httpd id ls mkdir mv rm sed sleep tar test touch true; do
		ln -s busybox "$root/bin/$applet"
	done
	printf 'root:x:0:0::/root:/bin/sh\napp:x:1001:0::/opt/app:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\n' >"$root/etc/group"
	echo "$3" >"$root/etc/motd"
	chmod 755 "$root"
	chmod 1777 "$root/tmp"
	"$oci_image" "$1" "$2" "$root" --history "busybox: $3" --env PATH=/usr/local/bin:/usr/bin:/bin
	rm -rf "$root"
}
