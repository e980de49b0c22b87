#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Image streams against real registries: every kind of manifest, two hundred tags, TLS and passwords, plain HTTP, copies for
# policy Local, what is recorded, and that nothing to do changes no byte. skopeo says what is true.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
trap 'stop_servers; [ -n "${KEEP:-}" ] || rm -rf "$work"' EXIT
for program in docker-registry skopeo htpasswd openssl; do command -v $program >/dev/null || skip "there is no $program"; done

layout=$work/layout
put() { skopeo copy -q --all "${@:3}" "oci:$layout:$1" "docker://$2" >"$work/check.log" 2>&1 || { cat "$work/check.log"; exit 1; }; }
truth() { skopeo inspect --raw "${@:2}" "docker://$1" | sha256sum | sed 's/^\(.*\)  -$/sha256:\1/'; }
file() { git show "reconcile/state:$1"; }
head_of() { git rev-parse reconcile/state; }
# stream STREAM TAG FIELD: of the newest entry of the tag, or of its condition.
stream() {
	file "$ns/imagestreams/$1.yaml" 2>/dev/null | python3 -c '
import sys, yaml
status = (yaml.safe_load(sys.stdin) or {}).get("status", {})
tag = next((t for t in status.get("tags", []) if t["tag"] == sys.argv[1]), {})
entry = (tag.get("items") or [{}])[0]
condition = (tag.get("conditions") or [{}])[0]
print(entry.get(sys.argv[2]) or condition.get(sys.argv[2]) or "")' "$2" "$3"
}
is() { [ "$2" = "$1" ] || { echo "'$2' is not '$1'"; return 1; }; }
stream_is() { is "$1" "$(stream "$2" "$3" "$4")"; }
ns=shop

note "registries"
for arch in amd64 arm64; do
	mkdir -p "$work/files-$arch"
	echo "$arch" >"$work/files-$arch/arch"
	python3 "$oci" image "$layout" "$arch" --layer "$work/files-$arch" --arch $arch --env A=1 --label l=v >/dev/null
done
python3 "$oci" image "$layout" two --layer "$work/files-amd64" --layer "$work/files-arm64" >/dev/null
python3 "$oci" index "$layout" both linux/amd64=amd64 linux/arm64=arm64 >/dev/null
start_registry "$work/plain"; plain=$SERVER_ADDR
start_registry "$work/inner"; inner=$SERVER_ADDR
start_registry "$work/tls" tls auth; tls=$SERVER_ADDR
for kind in amd64 arm64 two both; do put $kind "$plain/team/kinds:$kind" --dest-tls-verify=false; done
put two "$plain/team/kinds:docker" --dest-tls-verify=false --format v2s2
put both "$plain/team/kinds:list" --dest-tls-verify=false --format v2s2
put amd64 "$tls/team/secret:1" --dest-tls-verify=false --dest-creds "$SERVER_USER:$SERVER_PASSWORD"
for kind in amd64 arm64; do put $kind "$plain/team/many:$kind" --dest-tls-verify=false; done
put two "$plain/team/many:docker" --dest-tls-verify=false --format v2s2
python3 "$top/tests/lib/retag.py" "$plain/team/many" amd64 a- 80
python3 "$top/tests/lib/retag.py" "$plain/team/many" arm64 b- 80
python3 "$top/tests/lib/retag.py" "$plain/team/many" docker 1.0. 37

mkdir -p "$work/config"
cd "$work/config"
git init -q
cat >reconcile.yaml <<-YAML
	apiVersion: reconcile.dev/v1
	kind: Settings
	registries:
	- {prefix: "$tls", caFile: "$work/tls/ca.pem"}
	streams: {registry: "$inner", maxTags: -1}
YAML
tag() { # NAME REFERENCE [MORE]
	printf '  - {name: "%s", from: {kind: DockerImage, name: "%s"}%s}\n' "$1" "$2" "${3:+, $3}"
}
make_stream() { # NAME, tags on standard input
	{ printf 'apiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata: {name: %s, namespace: %s}\nspec:\n' "$1" "$ns"; cat; } >"$1.yaml"
}
{
	echo "  tags:"
	for kind in amd64 arm64 docker two both list; do tag "$kind" "$plain/team/kinds:$kind"; done
	tag whole "$plain/team/kinds:both" "importPolicy: {importMode: PreserveOriginal}"
	tag arm "$plain/team/kinds:both" "annotations: {importer.image.openshift.io/prefer-arch: arm64}"
} | make_stream kinds
printf '  dockerImageRepository: %s/team/many\n' "$plain" | make_stream many
git add -A && git commit -qm manifests

note "every kind of manifest, and two hundred tags"
check "they are imported" expect_exit 0 "$reconcile" .
for kind in amd64 arm64 docker two; do
	check "$kind" stream_is "$(truth "$plain/team/kinds:$kind" --tls-verify=false)" kinds $kind image
done
check "of an index the image for amd64" stream_is "$(truth "$plain/team/kinds:amd64" --tls-verify=false)" kinds both image
check "or the preferred one" stream_is "$(truth "$plain/team/kinds:arm64" --tls-verify=false)" kinds arm image
check "of Docker's list too" bash -c '[ "$(skopeo inspect --raw --tls-verify=false "docker://$1@$2" | grep -c vnd.docker.distribution.manifest.v2)" = 1 ]' - "$plain/team/kinds" "$(stream kinds list image)"
check "or the index itself" stream_is "$(truth "$plain/team/kinds:both" --tls-verify=false)" kinds whole image
all_tags() {
	python3 - "$work" "$plain" <<-'PYTHON'
		import hashlib, json, subprocess, sys, urllib.request, yaml
		work, plain = sys.argv[1:]
		text = subprocess.check_output(["git", "show", "reconcile/state:shop/imagestreams/many.yaml"])
		recorded = {t["tag"]: t["items"][0]["image"] for t in yaml.safe_load(text)["status"]["tags"] if t.get("items")}
		listed = json.loads(subprocess.check_output(["skopeo", "list-tags", "--tls-verify=false", f"docker://{plain}/team/many"]))["Tags"]
		assert sorted(recorded) == sorted(listed) and len(listed) == 200, (len(recorded), len(listed))
		for tag in listed:
		    raw = subprocess.check_output(["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{plain}/team/many:{tag}"])
		    assert recorded[tag] == "sha256:" + hashlib.sha256(raw).hexdigest(), tag
	PYTHON
}
check "all 200 tags have the digest that skopeo sees" all_tags

note "records of images"
digest=$(stream kinds docker image)
record=cluster/images/sha256/${digest#sha256:}.yaml
pointed_at() { for name in kinds many; do file "$ns/imagestreams/$name.yaml"; done | sed -n 's/^ *image: "*sha256:\([0-9a-f]*\)"*$/cluster\/images\/sha256\/\1.yaml/p' | sort -u; }
check "one for each image" is "$(pointed_at)" "$(git ls-tree -r --name-only reconcile/state -- cluster/images | sort)"
check "and there are many" [ "$(pointed_at | wc -l)" -gt 200 ]
check "with what skopeo says of it" bash -c '
	git show "reconcile/state:$1" | python3 -c "
import json, subprocess, sys, yaml
record = yaml.safe_load(sys.stdin)
seen = json.loads(subprocess.check_output([\"skopeo\", \"inspect\", \"--tls-verify=false\", \"docker://$2/team/kinds@\" + sys.argv[1]]))
assert [layer[\"name\"] for layer in record[\"dockerImageLayers\"]] == seen[\"Layers\"], record
assert record[\"dockerImageMetadata\"][\"Architecture\"] == seen[\"Architecture\"]
assert record[\"metadata\"][\"name\"] == sys.argv[1]
" "$3"' - "$record" "$plain" "$digest"

note "nothing to do"
before=$(head_of)
check "another run" expect_exit 0 "$reconcile" .
check "makes no commit" is "$before" "$(head_of)"
check "and expects no changes" expect_exit 0 "$reconcile" --expect-no-changes .

note "a scheduled tag"
{ echo "  tags:"; tag x "$plain/team/moving:1" "importPolicy: {scheduled: true}"; } | make_stream moving
put amd64 "$plain/team/moving:1" --dest-tls-verify=false
check "is imported" expect_exit 0 "$reconcile" --now 2026-11-22T10:00:00Z .
put arm64 "$plain/team/moving:1" --dest-tls-verify=false
check "is not due yet" expect_exit 0 "$reconcile" --now 2026-11-22T10:10:00Z .
check "so it stays" stream_is "$(truth "$plain/team/kinds:amd64" --tls-verify=false)" moving x image
check "a dry run when it is due" expect_exit 2 "$reconcile" --dry-run --detailed-exitcode --now 2026-11-22T10:16:00Z .
check "takes nothing in" stream_is "$(truth "$plain/team/kinds:amd64" --tls-verify=false)" moving x image
check "is due" expect_exit 0 "$reconcile" --now 2026-11-22T10:16:00Z .
check "moves" stream_is "$(truth "$plain/team/kinds:arm64" --tls-verify=false)" moving x image
before=$(head_of)
check "a look that finds nothing" expect_exit 0 "$reconcile" --now 2026-11-22T10:32:00Z .
check "leaves no commit" is "$before" "$(head_of)"
check "but is remembered" bash -c 'grep -q "shop/moving:x" "$1"/*' - "$XDG_CACHE_HOME/reconcile/checks"
put amd64 "$plain/team/moving:1" --dest-tls-verify=false
check "and not repeated early" expect_exit 0 "$reconcile" --expect-no-changes --now 2026-11-22T10:40:00Z .
check "a dry run remembers nothing" bash -c '! grep -q "^1795344" "$1"/*' - "$XDG_CACHE_HOME/reconcile/checks"
rm moving.yaml

note "passwords and TLS"
{ echo "  tags:"; tag x "$tls/team/secret:1"; } | make_stream guarded
check "without a secret" expect_exit 4 "$reconcile" .
check "it is unauthorized" stream_is Unauthorized guarded x reason
check "for want of credentials" stream_is "you may not have access to the container image \"$tls/team/secret:1\" and did not have credentials to the repository" guarded x message
login() { # PASSWORD
	cat >secret.yaml <<-YAML
		apiVersion: v1
		kind: Secret
		metadata: {name: login, namespace: $ns}
		type: kubernetes.io/dockerconfigjson
		stringData:
		  .dockerconfigjson: '{"auths":{"$tls":{"username":"$SERVER_USER","password":"$1"}}}'
	YAML
}
login "$SERVER_PASSWORD"
sed -i 's/^spec:/  annotations: {reconcile.dev\/import: again}\nspec:/' guarded.yaml
sed -i 's/^metadata: {name: guarded, namespace: shop}/metadata:\n  name: guarded\n  namespace: shop/' guarded.yaml
check "with one" expect_exit 0 "$reconcile" .
check "it is imported" stream_is "$(truth "$tls/team/secret:1" --tls-verify=false --creds "$SERVER_USER:$SERVER_PASSWORD")" guarded x image

note "plain HTTP"
far=registry.localhost:${plain#*:}
{ echo "  tags:"; tag x "$far/team/kinds:amd64"; } | make_stream far
check "without the flag" expect_exit 4 "$reconcile" .
check "it is refused" stream_is BadRequest far x reason
check "in OpenShift's words" stream_is "the repository $far/team/kinds:amd64 is HTTP only and requires the insecure flag to import" far x message
{ echo "  tags:"; tag y "$far/team/kinds:amd64" "importPolicy: {insecure: true}"; } | make_stream far
check "with it" expect_exit 0 "$reconcile" .
check "it is imported" stream_is "$(truth "$plain/team/kinds:amd64" --tls-verify=false)" far y image

note "copies in the integrated registry"
{
	echo "  tags:"
	tag one "$plain/team/kinds:amd64" "referencePolicy: {type: Local}"
	tag whole "$plain/team/kinds:both" "importPolicy: {importMode: PreserveOriginal}, referencePolicy: {type: Local}"
	tag guarded "$tls/team/secret:1" "referencePolicy: {type: Local}"
} | make_stream local
check "are made" expect_exit 0 "$reconcile" .
for name in one whole guarded; do
	digest=$(stream local $name image)
	check "$name can be pulled" skopeo copy -q --all --src-tls-verify=false "docker://$inner/$ns/local@$digest" "oci:$work/pulled:$name"
done
find "$work/inner/data" -type f -printf '%p %T@\n' | sort >"$work/before"
cat >"$work/request.json" <<-JSON
	{"format": 1, "action": "mirror", "cacheDir": "$work/worker", "tempDir": "$work/worker/tmp", "mirrors": [
	{"from": "$plain/team/kinds@$(stream local whole image)", "to": "$inner/$ns/local@$(stream local whole image)"}]}
JSON
check "once more" bash -c '"$1" worker <"$2" >"$3/out" 2>"$3/err"' - "$reconcile" "$work/request.json" "$work"
check "it is there already" says "already"
find "$work/inner/data" -type f -printf '%p %T@\n' | sort >"$work/after"
check "and nothing is sent" cmp "$work/before" "$work/after"
exit $failed
