#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The state branch beside git's own tools, in one run: store.sh BENCH_STORE [N]. Prints medians of processor time and ratios.
set -eu
bench=$(realpath "$1")
n=${2:-10000}
rounds=${ROUNDS:-11}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
git init -q --bare r.git
git -C r.git config gc.auto 0

# median of $rounds processor times (user and system, children too) in us of a command: on a busy machine the wall tells nothing
median() {
	local TIMEFORMAT='%U %S'
	: >times
	for ((i = 0; i < rounds; i++)); do
		{ time "$@" >/dev/null; } 2>>times
	done
	awk '{print int(($1 + $2) * 1000000)}' times | sort -n | sed -n "$((rounds / 2 + 1))p"
}
ratio() { python3 -c "print(f'{$1 / $2:.2f}')"; }
ms() { python3 -c "print(f'{$1 / 1000:.1f}')"; }
pack_bytes() { du -cb r.git/objects/pack/*.pack | tail -1 | cut -f1; }

"$bench" r.git fill "$n"
git -C r.git update-ref refs/heads/base reconcile/state

fast_import() { # 1,000 of them, the way git takes many files at once
	python3 - "$n" >stream <<-'EOF'
		import sys, os
		n = int(sys.argv[1]); salt = os.urandom(30).hex()
		out = sys.stdout
		out.write("commit refs/heads/fast\ncommitter b <b@c> 1700000000 +0000\ndata 1\nm\nfrom refs/heads/base^0\n")
		for i in range(1000):
		    at = i * (n // 1000)
		    text = f"{salt}{at}\n" * 9
		    out.write(f"M 644 inline ns-{at // 100}/images/image-{at}.yaml\ndata {len(text)}\n{text}\n")
	EOF
}
# new content each time: what is there already costs it nothing
for ((i = 0; i < rounds; i++)); do
	fast_import
	mv stream "stream.$i"
done
import() {
	git -C r.git update-ref -d refs/heads/fast
	git -C r.git fast-import --quiet <"stream.$i"
}
cat_file() { git -C r.git ls-tree -r base | awk '{print $3}' | git -C r.git cat-file --batch >/dev/null; }

read_ours=$(median "$bench" r.git read "$n")
read_git=$(median cat_file)
echo "read $n: $(ms "$read_ours") ms, ls-tree | cat-file --batch $(ms "$read_git") ms, ratio $(ratio "$read_ours" "$read_git")"
git_import=$(median import)
ours=$(median "$bench" r.git change "$n" 1000)
echo "commit 1000 of $n: $(ms "$ours") ms, fast-import $(ms "$git_import") ms, ratio $(ratio "$ours" "$git_import")"
one=$(median "$bench" r.git change "$n" 1)
before=$(pack_bytes)
"$bench" r.git change "$n" 1
echo "commit 1 of $n: $(ms "$one") ms, adds $(($(pack_bytes) - before)) bytes"
git -C r.git fsck --strict --no-dangling reconcile/state
git -C r.git gc -q
read_ours=$(median "$bench" r.git read "$n")
read_git=$(median cat_file)
echo "read $n after git gc: $(ms "$read_ours") ms, cat-file $(ms "$read_git") ms, ratio $(ratio "$read_ours" "$read_git")"
