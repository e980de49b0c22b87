#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# servers.sh FOLDER WAY: a registry, git over http, a git daemon, for the world in FOLDER, and where the way is ssh an sshd, one
# with another host key, and one that lets nobody in; prints the port of each (0: there is none), ends when standard input does.
set -euo pipefail
cd "$(dirname "$0")/../lib"
. ./servers.sh
. ./git_servers.sh
world=$1 way=$2
run=$(mktemp -d)
trap 'stop_servers; git_servers_stop "$run/git"; git_servers_stop "$run/daemon"; git_servers_stop "$run/ssh"; rm -rf "$run"' EXIT
mkdir -p "$world/storage" "$world/repos" "$run/registry"
ln -s "$world/storage" "$run/registry/data"
start_registry "$run/registry"
echo "${SERVER_ADDR#*:}"
url=$(git_http_start "$world/repos" "$run/git")
echo "${url##*:}"
url=$(git_daemon_start "$world/repos" "$run/daemon")
echo "${url##*:}"
if [ "$way" = ssh ]; then
	# The keys stay when the world is copied: the manifests hold them.
	mkdir -p "$world/ssh" "$run/ssh"
	cp "$world/ssh"/{id,id.pub,host_key,host_key.pub} "$run/ssh" 2>/dev/null || true
	url=$(git_ssh_start "$world/repos" "$run/ssh")
	port=${url#*127.0.0.1:}
	port=${port%%/*}
	echo "$port"
	cp "$run/ssh"/{id,id.pub,host_key,host_key.pub} "$world/ssh"
	echo "[ssh.test]:2222 $(cut -d' ' -f1,2 "$run/ssh/host_key.pub")" >"$world/ssh/known_hosts"
	ssh-keygen -q -t ed25519 -N '' -f "$run/ssh/other_key"
	for other in "s,/host_key$,/other_key," "s,/authorized_keys$,/nobody,"; do
		free=$(git_servers_port)
		n=${#other}
		sed "$other; s,^Port .*,Port $free,; s,sshd.pid,sshd-$n.pid," "$run/ssh/sshd_config" >"$run/ssh/config-$n"
		"$(PATH=$PATH:/usr/sbin command -v sshd)" -f "$run/ssh/config-$n" -E "$run/ssh/sshd.log" </dev/null
		git_servers_wait "$free"
		echo "$free"
	done
else
	printf '0\n0\n0\n'
fi
cat >/dev/null
