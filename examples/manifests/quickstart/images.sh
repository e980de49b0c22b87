# Sourced by ci/quickstart and by tests: the images that an offline example needs, made from busybox and folders.
# shellcheck shell=bash

# make_stack LAYOUT TAG MOTD: a build or run image: busybox with a shell, and the user that buildpacks run as.
make_stack() {
	local root applet busybox
	busybox=$(command -v busybox)
	root=$(mktemp -d)
	mkdir -p "$root"/{bin,etc,tmp,home/cnb,usr/bin,root}
	cp "$busybox" "$root/bin/busybox"
	for applet in sh cat echo ls sed mkdir printf env cp mv rm ln touch chmod grep awk sort head tail wc tr cut test true false sleep id httpd; do
		ln -sf busybox "$root/bin/$applet"
	done
	ln -s ../../bin/busybox "$root/usr/bin/env"
	printf 'root:x:0:0::/root:/bin/sh\ncnb:x:1000:1000::/home/cnb:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\ncnb:x:1000:\n' >"$root/etc/group"
	echo "$3" >"$root/etc/motd"
	chmod 755 "$root"
	chmod 1777 "$root/tmp"
	"$oci_image" "$1" "$2" "$root" --user 1000:1000 --history "busybox: $3" \
		--env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --env CNB_USER_ID=1000 --env CNB_GROUP_ID=1000 \
		--env CNB_STACK_ID=dev.reconcile.stacks.quickstart --label io.buildpacks.stack.id=dev.reconcile.stacks.quickstart
	rm -rf "$root"
}

# make_buildpackage LAYOUT FOLDER ID VERSION: a package of the one buildpack in FOLDER, tagged with its version.
make_buildpackage() {
	local root
	root=$(mktemp -d)
	chmod 755 "$root"
	mkdir -p "$root/cnb/buildpacks/${3//\//_}"
	cp -r "$2" "$root/cnb/buildpacks/${3//\//_}/$4"
	"$oci_image" "$1" "$4" "$root" \
		--label "io.buildpacks.buildpackage.metadata={\"id\":\"$3\",\"version\":\"$4\"}" \
		--label "io.buildpacks.buildpack.layers={\"$3\":{\"$4\":{\"api\":\"0.10\",\"layerDiffID\":\"@DIFF_ID@\",\"targets\":[{\"os\":\"linux\"}]}}}"
	rm -rf "$root"
}
