#!/bin/sh
# Fetches the source, makes an image of one layer with the files of the context folder below /srv, and pushes it.
set -eu
work=$(mktemp -d)
cd "$work"
git clone -q --depth 1 --branch "${SOURCE_REF:-main}" "$SOURCE_URI" source
mkdir -p root/srv
cp -R "source/${SOURCE_CONTEXT_DIR:-.}/." root/srv/
rm -rf root/srv/.git
tar -cf layer -C root srv

registry=https://$OUTPUT_REGISTRY/v2/${OUTPUT_IMAGE%:*}
login=$(sed -n 's/.*"auth": *"\([^"]*\)".*/\1/p' "$PUSH_DOCKERCFG_PATH/.dockerconfigjson")
call() { curl -fsS -H @- "$@" <<LOGIN
Authorization: Basic $login
LOGIN
}
size() { wc -c <"$1" | tr -d ' '; }
digest() { echo "sha256:$(sha256sum "$1" | cut -d ' ' -f 1)"; }
push() { # FILE: as a blob
	place=$(call -X POST -D - -o answer "$registry/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
	case $place in
	*\?*) place="$place&digest=$(digest "$1")" ;;
	*) place="$place?digest=$(digest "$1")" ;;
	esac
	call -X PUT -H 'Content-Type: application/octet-stream' -T "$1" "$place"
}

oci=application/vnd.oci.image
cat >config <<JSON
{"architecture":"amd64","os":"linux","config":{"WorkingDir":"/srv"},"rootfs":{"type":"layers","diff_ids":["$(digest layer)"]}}
JSON
cat >manifest <<JSON
{"schemaVersion":2,"mediaType":"$oci.manifest.v1+json",
 "config":{"mediaType":"$oci.config.v1+json","digest":"$(digest config)","size":$(size config)},
 "layers":[{"mediaType":"$oci.layer.v1.tar","digest":"$(digest layer)","size":$(size layer)}]}
JSON
push layer
push config
call -X PUT -H "Content-Type: $oci.manifest.v1+json" -T manifest "$registry/manifests/${OUTPUT_IMAGE##*:}"
echo "pushed $OUTPUT_REGISTRY/$OUTPUT_IMAGE"
