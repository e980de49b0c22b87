#!/usr/bin/env bash
# Sources of every kind against real servers: archives from nginx (open, by password, by token), images from a registry, local
# folders and archives, git over http and ssh with submodules, through a proxy. What a build was given is told by a buildpack.
set -euo pipefail
. "$(dirname "$0")/../lib/world.sh" "$1"
. "$(dirname "$0")/../lib/probe.sh"
git_servers_need git nginx fcgiwrap htpasswd openssl python3 ssh docker-registry skopeo || skip "a server is missing"
cleanup() {
	stop_servers
	git_servers_stop "$work/git" || true
	git_servers_stop "$work/open" || true
	git_servers_stop "$work/ssh" || true
	rm -rf "$work"
}
trap cleanup EXIT
probe_world
cd "$work/config"

note "a web server with archives"
web=$work/web
mkdir -p "$web"/{pub,basic,bearer,header} "$work/nginx"
# Each is a second younger than the one before: nginx makes an ETag of time and size.
archive() { # PATH TYPE TEXT [PLACE]: an archive of a small application
	n_archives=$((${n_archives:-0} + 1))
	python3 - $n_archives "$@" <<'PYTHON'
import io, os, sys, tarfile, zipfile
number, path, kind, text = int(sys.argv[1]), *sys.argv[2:5]
top = sys.argv[5] if len(sys.argv) > 5 else ""
files = {"main.txt": (text, 0o644), "bin/run": ("run " + text, 0o755), "lib/lib.txt": ("lib", 0o644)}
temp = path + ".new"
if kind in ("zip", "jar"):
    with zipfile.ZipFile(temp, "w") as out:
        for name, (data, mode) in files.items():
            entry = zipfile.ZipInfo(top + name)
            entry.external_attr = (0o100000 | mode) << 16
            entry.create_system = 3
            out.writestr(entry, data + "\n")
else:
    with tarfile.open(temp, "w" + (":" + kind if kind else "")) as out:
        for name, (data, mode) in files.items():
            entry = tarfile.TarInfo(top + name)
            entry.mode, entry.size = mode, len(data) + 1
            out.addfile(entry, io.BytesIO(data.encode() + b"\n"))
os.utime(temp, (1700000000 + number,) * 2)
os.replace(temp, path)
PYTHON
}
htpasswd -bc "$work/nginx/htpasswd" me 's3cret pass' 2>/dev/null
chmod 644 "$work/nginx/htpasswd"
web_port=$(free_port)
cat >"$work/nginx/nginx.conf" <<EOF
$([ "$(id -u)" = 0 ] && echo 'user root;')
worker_processes 1;
pid $work/nginx/nginx.pid;
error_log $work/nginx/error.log;
events { worker_connections 64; }
http {
	log_format asked '\$request_method \$uri \$status \$body_bytes_sent';
	access_log $work/nginx/access.log asked;
	client_body_temp_path $work/nginx/b; proxy_temp_path $work/nginx/p; fastcgi_temp_path $work/nginx/f;
	uwsgi_temp_path $work/nginx/u; scgi_temp_path $work/nginx/s;
	server {
		listen 127.0.0.1:$web_port;
		root $web;
		location /basic/ { auth_basic files; auth_basic_user_file $work/nginx/htpasswd; }
		location /bearer/ { if (\$http_authorization != "Bearer t0ken-canary") { return 401; } }
		location /header/ { if (\$http_authorization != "Special key-canary") { return 403; } }
		location /moved/ { return 302 /pub/\$arg_to; }
		location /no-etag/ { alias $web/pub/; etag off; }
		location /busy/ { return 503; }
	}
}
EOF
nginx -c "$work/nginx/nginx.conf" -g 'daemon off;' >"$work/nginx/out" 2>&1 </dev/null &
SERVER_PIDS+=($!)
wait_for_port "$web_port" $!
files=http://127.0.0.1:$web_port

archive "$web/pub/app.zip" zip zip
archive "$web/pub/app.tar" "" tar
archive "$web/pub/app.tgz" gz tar.gz app-1.0/
archive "$web/pub/app.txz" xz tar.xz
archive "$web/pub/app.jar" jar jar
archive "$web/basic/app.zip" zip basic
archive "$web/bearer/app.zip" zip bearer
archive "$web/header/app.zip" zip header
echo "no archive" >"$web/pub/text.zip"
probe_image zip "{blob: {url: '$files/pub/app.zip'}}"
probe_image tar "{blob: {url: '$files/pub/app.tar'}}"
probe_image tgz "{blob: {url: '$files/pub/app.tgz', stripComponents: 1}}"
probe_image txz "{blob: {url: '$files/no-etag/app.txz'}}"
probe_image jar "{blob: {url: '$files/moved/?to=app.jar'}}"
probe_image part "{blob: {url: '$files/pub/app.zip'}, subPath: bin}"
probe_image basic "{blob: {url: '$files/basic/app.zip', auth: secret}}" "serviceAccountName: files"
cat >secrets.yaml <<YAML
apiVersion: v1
kind: ServiceAccount
metadata: {name: files}
secrets: [{name: basic}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: bearer}
secrets: [{name: bearer}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: header}
secrets: [{name: header}]
---
apiVersion: v1
kind: Secret
metadata: {name: basic, annotations: {kpack.io/blob: "127.0.0.1:$web_port"}}
type: kubernetes.io/basic-auth
stringData: {username: me, password: "s3cret pass"}
---
apiVersion: v1
kind: Secret
metadata: {name: bearer, annotations: {kpack.io/blob: "$files"}}
stringData: {bearer: "t0ken-canary\n"}
---
apiVersion: v1
kind: Secret
metadata: {name: header, annotations: {kpack.io/blob: "127.0.0.1:$web_port"}}
stringData: {authorization: Special key-canary}
YAML
probe_image bearer "{blob: {url: '$files/bearer/app.zip', auth: secret}}" "serviceAccountName: bearer"
probe_image header "{blob: {url: '$files/header/app.zip', auth: secret}}" "serviceAccountName: header"
check "blobs: every image is built" expect_exit 0 "$reconcile" .
check "zip" gave zip "main.txt=zip" "bin/run=run zip (x)"
check "tar" gave tar "main.txt=tar"
check "tar.gz without its first folder" gave tgz "main.txt=tar.gz"
check "tar.xz" gave txz "main.txt=tar.xz"
check "jar behind a redirect" gave jar "main.txt=jar"
check "a folder of a zip" gave part "run=run zip (x)"
check "nothing else of it" bash -c "! grep -q 'main.txt' '$work/log'"
check "with a password" gave basic "main.txt=basic"
check "with a token" gave bearer "main.txt=bearer"
check "with a header" gave header "main.txt=header"
: >"$work/nginx/access.log"
labels() { skopeo inspect --config "oci:$work/registry/registry.local/apps/$1:latest" | python3 -c 'import json, sys; print(json.load(sys.stdin)["config"]["Labels"]["io.buildpacks.project.metadata"])'; }
labels zip >"$work/out"
check "the image says where it is from" says "$(printf '"type":"blob","version":{"sha256sum":"%s"},"metadata":{"url":"%s"}' "$(sha256sum <"$web/pub/app.zip" | cut -d' ' -f1)" "$files/pub/app.zip")"
check "blobs: then nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .
check "without a transfer where there is an ETag" bash -c "grep -q 'GET /pub/app.zip 304' '$work/nginx/access.log' && ! grep -q 'GET /pub/app.zip 200' '$work/nginx/access.log'"
rm -rf "$XDG_CACHE_HOME"
: >"$work/nginx/access.log"
check "also with an empty cache: the ETag is recorded" expect_exit 0 "$reconcile" --expect-no-changes .
check "and sent" grep -q 'GET /pub/app.zip 304' "$work/nginx/access.log"

note "content changes"
sleep 1
touch "$web/pub/app.tar"
check "a new date, the same bytes: nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .
archive "$web/pub/app.zip" zip zap # as long, and bin/run has changed too
check "other bytes behind the URL: a dry run says COMMIT" expect_exit 0 "$reconcile" --dry-run .
check "for this URL" says "$files/pub/app.zip: sha256:"
check "and for two images only" says "2 builds"
check "they are built" expect_exit 0 "$reconcile" .
check "with what is there now" gave zip "main.txt=zap"
check "the others are not" builds tar 1

note "a change elsewhere than below the sub path"
probe_image part "{blob: {url: '$files/pub/app.zip'}, subPath: lib}"
check "another sub path is CONFIG" expect_exit 0 "$reconcile" .
archive "$web/pub/app.zip" zip zup
check "only the image of the whole is built" expect_exit 0 "$reconcile" .
check "the whole" builds zip 3
check "not the part" builds part 3
check "and then nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .

note "what fails"
probe_image absent "{blob: {url: '$files/pub/absent.zip'}}"
probe_image denied "{blob: {url: '$files/basic/app.zip'}}"
probe_image nobody "{blob: {url: '$files/basic/app.zip', auth: secret}}"
probe_image refused "{blob: {url: 'http://127.0.0.1:1/app.zip'}}"
probe_image helper "{blob: {url: '$files/pub/app.zip', auth: helper}}"
probe_image text "{blob: {url: '$files/pub/text.zip'}}"
archive "$web/pub/app.tar" "" tur
check "exit 4" expect_exit 4 "$reconcile" .
check "absent" says "the server answered 404"
check "denied" says "the server answered 401"
check "no secret for the host" says "no secret of its service account is annotated 'kpack.io/blob: 127.0.0.1:$web_port'"
check "nobody there" says "cannot reach 'http://127.0.0.1:1/app.zip'"
check "no helpers" says "blob.auth 'helper' is not supported"
check "no archive" says "unexpected blob file type, must be one of .zip, .tar.gz, .tar.zst, .tar.xz, .tar, .jar, .war"
check "the others went on" gave tar "main.txt=tur"
rm image-{absent,denied,nobody,refused,helper,text}.yaml

note "downloads that are cut off"
archive "$work/big.tgz" gz cut
python3 -c "import os; open('$work/noise', 'wb').write(os.urandom(3000000))"
tar -C "$work" -czf "$work/big.tgz" noise
start_fake "$work/cutting" "$top/tests/lib/cutting.py" "$work/big.tgz"
probe_image cut "{blob: {url: 'http://$SERVER_ADDR/big.tgz'}}"
check "a download goes on where it stopped" expect_exit 0 "$reconcile" --only Image/default/cut .
check "by ranges" grep -q 'bytes=[1-9]' "$work/cutting/log"
check "and is whole" gave cut "noise="
probe_image plain "{blob: {url: 'http://$SERVER_ADDR/plain/big.tgz'}}"
check "or begins again where there is no ETag" expect_exit 0 "$reconcile" --only Image/default/plain .
check "and is whole" gave plain "noise="
rm image-cut.yaml image-plain.yaml

note "a cache that rots"
for file in "$XDG_CACHE_HOME"/reconcile/blobs/sha256/*; do echo rotten >"$file"; done
check "is not believed" expect_exit 0 "$reconcile" --trigger zip .
check "it is read again" gave zip "main.txt=zup"

note "images as sources"
mkdir -p "$work/src"/{one,two}
echo one >"$work/src/one/main.txt"
echo two >"$work/src/two/main.txt"
start_registry "$work/reg" auth
sources=$SERVER_ADDR
push_source() { # FOLDER TAG [LABEL]
	"$oci_image" "$work/push" "$2" "$1" ${3:+--label "$3"} >/dev/null
	skopeo copy -q --dest-tls-verify=false --dest-creds "$SERVER_USER:$SERVER_PASSWORD" "oci:$work/push:$2" "docker://$sources/src:$2"
}
push_source "$work/src" main
mkdir -p "$work/jar"
archive "$work/jar/app.jar" jar packed
push_source "$work/jar" jar source.contenttype.kpack.io=jar
cat >>reconcile.yaml <<YAML
- prefix: $sources
  insecure: true
YAML
cat >pull.yaml <<YAML
apiVersion: v1
kind: Secret
metadata: {name: pull, annotations: {kpack.io/docker: "$sources"}}
type: kubernetes.io/basic-auth
stringData: {username: $SERVER_USER, password: $SERVER_PASSWORD}
YAML
probe_image layers "{registry: {image: '$sources/src:main', imagePullSecrets: [{name: pull}]}, subPath: one}"
probe_image packed "{registry: {image: '$sources/src:jar', imagePullSecrets: [{name: pull}]}}"
probe_image barred "{registry: {image: '$sources/src:main'}}"
check "one may not read the registry: exit 4" expect_exit 4 "$reconcile" .
check "it says which" says "cannot resolve '$sources/src': the server answered 401"
rm image-barred.yaml
check "without its manifest it is forgotten" expect_exit 0 "$reconcile" .
check "layers, a folder of them" gave layers "main.txt=one"
labels layers >"$work/out"
check "the image says so" says '"type":"image","version":{"digest":"sha256:'
check "an archive in a layer" gave packed "main.txt=packed"
check "then nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .
echo TWO >"$work/src/two/main.txt"
push_source "$work/src" main
check "a change in another folder is nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .
echo ONE >"$work/src/one/main.txt"
push_source "$work/src" main
check "a new digest is built" expect_exit 0 "$reconcile" .
check "with its content" gave layers "main.txt=ONE"

note "local sources"
mkdir -p "$work/local/app/sub"
echo folder >"$work/local/app/main.txt"
echo sub >"$work/local/app/sub/main.txt"
archive "$work/local/app.jar" jar local-jar
archive "$work/local/app.tgz" gz local-tgz
archive "$work/local/app.bin" "" local-tar
for name in app app.jar app.tgz app.bin; do
	probe_image "local-${name//./-}" "{local: {path: ../local/$name}}"
done
probe_image local-sub "{local: {path: ../local/app}, subPath: sub}"
check "folders and archives are built" expect_exit 0 "$reconcile" .
check "a folder" gave local-app "main.txt=folder"
check "a folder of it" gave local-sub "main.txt=sub"
check "a jar" gave local-app-jar "main.txt=local-jar"
check "a tar.gz" gave local-app-tgz "main.txt=local-tgz"
check "a tar by content" gave local-app-bin "main.txt=local-tar"
archive "$work/local/app.jar" jar new-jar
echo new >"$work/local/app/main.txt"
check "a new archive is built" expect_exit 0 "$reconcile" .
check "the jar" gave local-app-jar "main.txt=new-jar"
check "the folder" gave local-app "main.txt=new"
check "not the sub folder" builds local-sub 1

note "git with submodules, a password, and pointers of Git LFS"
mkdir -p "$work/repos" "$work/open-repos"
for name in app lib; do git_repo_new "$work/repos/$name.git"; done
git_repo_new "$work/open-repos/deep.git"
git_url=$(git_http_start "$work/repos" "$work/git" auth)
open_url=$(git_http_start "$work/open-repos" "$work/open")
for name in repos/app repos/lib open-repos/deep; do
	git clone -q "$work/$name.git" "$work/clone-${name#*/}" 2>/dev/null
done
allow=(-c protocol.file.allow=always)
app_commit "$work/clone-deep" deep.txt deep first
git -C "$work/clone-lib" "${allow[@]}" submodule --quiet add "$work/open-repos/deep.git" nested/deep
git -C "$work/clone-lib" config -f .gitmodules submodule.nested/deep.url "$open_url/deep.git"
app_commit "$work/clone-lib" lib.txt lib first
git -C "$work/clone-app" "${allow[@]}" submodule --quiet add "$work/repos/lib.git" libs/lib
git -C "$work/clone-app" config -f .gitmodules submodule.libs/lib.url ../lib.git
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 12345\n' 7 >"$work/clone-app/model.bin"
app_commit "$work/clone-app" main.txt app first
cat >git.yaml <<YAML
apiVersion: v1
kind: ServiceAccount
metadata: {name: git}
secrets: [{name: git}]
---
apiVersion: v1
kind: Secret
metadata: {name: git, annotations: {kpack.io/git: "$git_url"}}
type: kubernetes.io/basic-auth
stringData: {username: me, password: "s3cret pass"}
YAML
probe_image modules "{git: {url: '$git_url/app.git', revision: main, initializeSubmodules: true}}" "serviceAccountName: git"
probe_image without "{git: {url: '$git_url/app.git'}}" "serviceAccountName: git"
probe_image libs "{git: {url: '$git_url/app.git', revision: main, initializeSubmodules: true}, subPath: libs}" "serviceAccountName: git"
check "git: built" expect_exit 0 "$reconcile" .
check "no master: main, and a notice" says "has no source.git.revision and its repository no 'master': 'main' is followed"
check "pointers are named" says "Git LFS is not supported: 1 file of the source holds a pointer instead of the content: model.bin"
check "submodules, the inner one from another server" gave modules "main.txt=app" "libs/lib/lib.txt=lib" "libs/lib/nested/deep/deep.txt=deep"
check "only when asked for" gave without "main.txt=app"
check "else an empty folder" bash -c "! grep -q 'lib.txt' '$work/log'"
check "below a sub path too" gave libs "lib/lib.txt=lib"
app_commit "$work/clone-lib" lib.txt new second
check "a commit of the submodule alone is nothing to do" expect_exit 0 "$reconcile" --expect-no-changes .
git -C "$work/clone-app/libs/lib" "${allow[@]}" pull -q origin main
app_commit "$work/clone-app" other.txt x second
check "the commit that takes it is built" expect_exit 0 "$reconcile" .
check "with it" gave libs "lib/lib.txt=new"
git -C "$work/clone-app" config -f .gitmodules submodule.libs/lib.url "$work/repos/lib.git"
app_commit "$work/clone-app" other.txt y third
check "a submodule that names a folder of this machine: exit 4" expect_exit 4 "$reconcile" .
check "and says so" says "is a folder of this machine"
rm image-{modules,without,libs}.yaml

note "git through a proxy"
start_fake "$work/proxy" "$top/tests/lib/proxy.py" "git.test.invalid=${open_url#http://}"
probe_image proxied "{git: {url: 'http://git.test.invalid/deep.git', revision: main}}"
check "a server that only the proxy knows" env http_proxy="http://$SERVER_ADDR" "$reconcile" --only Image/default/proxied .
check "the proxy was asked" grep -q 'http://git.test.invalid/deep.git' "$work/proxy/log"
check "and gave it" gave proxied "deep.txt=deep"
rm image-proxied.yaml

note "git over ssh"
ssh_url=$(git_ssh_start "$work/open-repos" "$work/ssh")
ssh_host=${ssh_url#ssh://*@}
ssh_host=${ssh_host%%/*}
ssh-keygen -q -t ed25519 -N '' -f "$work/other-host"
secret_of() { # NAME KNOWN_HOSTS
	cat <<-YAML
		apiVersion: v1
		kind: ServiceAccount
		metadata: {name: $1}
		secrets: [{name: $1}]
		---
		apiVersion: v1
		kind: Secret
		metadata: {name: $1, annotations: {kpack.io/git: "$ssh_host"}}
		type: kubernetes.io/ssh-auth
		stringData:
		  known_hosts: "$2"
		  ssh-privatekey: |
		$(sed 's/^/    /' "$work/ssh/id")
		---
	YAML
}
{
	secret_of ssh "$(cat "$work/ssh/known_hosts")"
	secret_of stranger "[127.0.0.1]:${ssh_host#*:} $(cut -d' ' -f1,2 "$work/other-host.pub")"
} >ssh.yaml
probe_image ssh "{git: {url: '$ssh_url/deep.git', revision: main}}" "serviceAccountName: ssh"
probe_image stranger "{git: {url: '$ssh_url/deep.git', revision: main}}" "serviceAccountName: stranger"
check "a server with another key is not believed: exit 4" expect_exit 4 "$reconcile" --only Image/default/ssh --only Image/default/stranger .
check "it says which" says "Image default/stranger"
check "the known one is" gave ssh "deep.txt=deep"

note "secrets"
for canary in 's3cret pass' t0ken-canary key-canary "$SERVER_PASSWORD"; do
	check "'$canary' is nowhere in state" bash -c "! git grep -qF '$canary' reconcile/state && ! git grep -qF '$canary' reconcile/logs"
done
exit $failed
