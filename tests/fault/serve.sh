#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# serve.sh FOLDER: the servers of a world, in network and mount namespaces of its own (unshare --net --mount), so that every
# world has the same addresses: a registry on 127.0.0.1:5000 with its files in FOLDER/data, and FOLDER's git repositories on
# http://127.0.0.1:8080; where there is a folder FOLDER/ssh with keys, those on ssh://USER@127.0.0.1:2222/mnt, too; where there is
# FOLDER/jenkins, a stand-in for Jenkins on http://127.0.0.1:8070, which writes there what it ran. Says "ready"; ends when its input
# ends.
set -euo pipefail
lib=$(dirname "$0")/../lib
. "$lib/servers.sh"
. "$lib/git_servers.sh"
for need in docker-registry nginx fcgiwrap; do command -v $need >/dev/null || { echo "skipped: $need is missing"; exit 77; }; done
folder=$1
run=$(mktemp -d)
chmod 755 "$run"
trap 'git_servers_stop "$run"; git_servers_stop "$run/ssh"; stop_servers; wait; rm -rf "$run"' EXIT
ip link set lo up
address=5000
free_port() { echo $address; }
git_servers_port() { echo $address; }
ln -s "$folder/data" "$run/data"
mkdir -p "$folder/data"
start_registry "$run"
address=8080
git_http_start "$folder" "$run" >/dev/null
if [ -e "$folder/ssh" ]; then
	mount --bind "$folder" /mnt
	# What the user's shell does at each login is no part of the world, and may take its time.
	for file in "$(getent passwd "$(id -un)" | cut -d: -f6)/.bashrc"; do [ ! -e "$file" ] || mount --bind /dev/null "$file"; done
	cp -a "$folder/ssh" "$run/ssh"
	address=2222
	git_ssh_start /mnt "$run/ssh" >/dev/null
fi
if [ -e "$folder/jenkins" ]; then
	coproc jenkins { exec python3 "$lib/jenkins.py" "$run/port" 8070 "$folder/jenkins/runs"; }
	git_servers_wait 8070
fi
echo ready
cat >/dev/null
if [ -e "$folder/jenkins" ]; then
	exec {jenkins[1]}>&-
	wait "$jenkins_PID" || true
fi
