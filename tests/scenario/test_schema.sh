#!/usr/bin/env bash
# The committed schemas are what the program prints, and an independent validator finds the examples valid by them.
set -euo pipefail
build=$1
cd "$(dirname "$0")/../.."
bad=0
for file in schemas/*.json; do
	kind=$(basename "$file" .json)
	[ "$kind" = reconcile ] && kind=
	# shellcheck disable=SC2086
	"$build/reconcile" schema $kind | cmp - "$file" || { echo "run: reconcile schema $kind >$file"; bad=1; }
done
python3 - <<'PYTHON' || bad=1
import glob, json, sys
import jsonschema, yaml
schema = json.load(open("schemas/reconcile.json"))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
checked = failed = 0
for path in sorted(glob.glob("examples/manifests/**/*.yaml", recursive=True)):
    for document in yaml.load_all(open(path), Loader=yaml.SafeLoader):
        if not document or "kind" not in document:
            continue
        checked += 1
        for error in validator.iter_errors(document):
            failed += 1
            print(path, list(error.absolute_path), error.message)
# What must be refused is refused.
for bad in ({"apiVersion": "kpack.io/v1alpha2", "kind": "Image", "metadata": {"name": "x"}, "spec": {"tog": "x"}},
            {"apiVersion": "kpack.io/v1alpha2", "kind": "ClusterStack", "metadata": {"name": "x"}, "spec": {"id": 3}},
            {"apiVersion": "v1", "kind": "ImageStream", "metadata": {"name": "x"}, "spec": {"tags": [{"from": {"kind": "DockerImage", "name": "a"}}]}},
            {"apiVersion": "image.openshift.io/v1", "kind": "ImageStreamTag", "metadata": {"name": "x:1"}, "tag": {"importPolicy": {"importMode": "All"}}}):
    if validator.is_valid(bad):
        failed += 1
        print("accepted:", bad)
# What may be left out may be left out.
for good in ({"apiVersion": "v1", "kind": "ImageStream", "metadata": {"name": "x"}},
             {"apiVersion": "image.openshift.io/v1", "kind": "ImageStreamTag", "metadata": {"name": "x:1"}}):
    for error in validator.iter_errors(good):
        failed += 1
        print(good, list(error.absolute_path), error.message)
print(f"{checked} documents checked")
sys.exit(1 if failed or not checked else 0)
PYTHON
exit $bad
