/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escape.c — tries to get out of a container and says what it could reach: "REACHED <what>" for each, "state …", and "tried N"
 * at the end. Statically linked, so that it runs in any image. Opens and asks, but never triggers: it also runs outside of
 * containers, where it must reach a lot.
 *     escape HALF HALF PORT SOCKET PID PATH…
 * HALF HALF make the word that is in the host's secrets; PORT listens on the host's loopback, SOCKET is an abstract socket's
 * name, PID a process outside, the PATHs are files and folders of the host.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNTOF(a) (sizeof(a) / sizeof((a)[0]))

static int n_tried;

static void tell(int is_reached, const char *what, const char *which)
{
	n_tried++;
	if (is_reached)
		printf("REACHED %s %s\n", what, which);
	fflush(stdout);
}

/* In a process of its own: an attempt may end it or take it elsewhere. */
static int forked(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn() ? 42 : 0);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 0;
	return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

/* ---- files ---- */

static int opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	char record[8192]; /* one of the kernel log's is read whole */
	int is_there = fd >= 0;

	/* A folder opens; of a masked file nothing can be read. */
	if (fd >= 0 && flags == O_RDONLY && read(fd, record, sizeof(record)) <= 0 &&
	    errno != EISDIR)
		is_there = 0;
	if (fd >= 0)
		close(fd);
	return is_there;
}

static int contains(const char *path, const char *word)
{
	static char text[1 << 20];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	size_t len = 0;

	if (fd < 0)
		return 0;
	while (len < sizeof(text) && (n = read(fd, text + len, sizeof(text) - len)) > 0)
		len += (size_t)n;
	close(fd);
	return memmem(text, len, word, strlen(word)) != NULL;
}

static void try_processes(const char *word, char **paths)
{
	static const char *const parts[] = { "environ", "cmdline" };
	char path[8192];
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		for (size_t i = 0; i < COUNTOF(parts); i++) {
			snprintf(path, sizeof(path), "/proc/%s/%s", entry->d_name, parts[i]);
			tell(contains(path, word), "a secret in", path);
		}
		for (int i = 0; paths[i]; i++) {
			snprintf(path, sizeof(path), "/proc/%s/root%s", entry->d_name, paths[i]);
			tell(opens(path, O_RDONLY), "by another root", path);
			snprintf(path, sizeof(path), "/proc/%s/cwd/../../../../../../../..%s",
				 entry->d_name, paths[i]);
			tell(opens(path, O_RDONLY), "by another folder", path);
		}
	}
	if (dir)
		closedir(dir);
}

/* A folder in a tree of cgroups comes with files. */
static int makes_cgroup(const char *tree)
{
	char path[256];
	int is_one;

	snprintf(path, sizeof(path), "%s/escape", tree);
	if (mkdir(path, 0755) < 0)
		return 0;
	snprintf(path, sizeof(path), "%s/escape/cgroup.procs", tree);
	is_one = access(path, F_OK) == 0;
	snprintf(path, sizeof(path), "%s/escape", tree);
	rmdir(path);
	return is_one;
}

static void try_files(char **paths)
{
	static const char *const readable[] = {
		"/proc/kcore", "/proc/kmsg", "/proc/keys", "/proc/kpageflags", "/dev/mem",
		"/dev/kmsg",   "/dev/sda",   "/dev/vda",   "/dev/nvme0n1",     "/dev/fuse",
		"/dev/kvm",    "/planted",   "/added",
	};
	static const char *const writable[] = {
		"/proc/sysrq-trigger",
		"/proc/sys/kernel/core_pattern",
		"/proc/sys/kernel/panic",
		"/proc/sys/kernel/modprobe",
		"/proc/sys/vm/drop_caches",
		"/proc/irq/default_smp_affinity",
		"/proc/1/oom_score_adj/../../sys/kernel/domainname",
		"/sys/kernel/uevent_helper",
		"/sys/kernel/profiling",
		"/sys/kernel/mm/ksm/run",
		"/sys/power/state",
		"/sys/fs/cgroup/cgroup.procs",
		"/sys/fs/cgroup/release_agent",
		"/sys/fs/cgroup/unified/cgroup.procs",
		"/sys/fs/cgroup/memory/release_agent",
		"/sys/fs/cgroup/memory/cgroup.procs",
		"/etc/hosts-of-the-host",
	};

	static const char *const trees[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified",
					     "/sys/fs/cgroup/memory" };

	for (int i = 0; paths[i]; i++)
		tell(opens(paths[i], O_RDONLY), "file", paths[i]);
	for (size_t i = 0; i < COUNTOF(readable); i++)
		tell(opens(readable[i], O_RDONLY), "file", readable[i]);
	for (size_t i = 0; i < COUNTOF(writable); i++)
		tell(opens(writable[i], O_WRONLY), "to write", writable[i]);
	for (size_t i = 0; i < COUNTOF(trees); i++)
		tell(makes_cgroup(trees[i]), "cgroup in", trees[i]);
}

static void try_device(const char *name, mode_t kind, dev_t number)
{
	static const char *const dirs[] = { "/tmp", "/dev", "/dev/shm", "/run", "." };
	char path[256];

	for (size_t i = 0; i < COUNTOF(dirs); i++) {
		snprintf(path, sizeof(path), "%s/escape-%s", dirs[i], name);
		if (mknod(path, kind | 0666, number) == 0)
			tell(opens(path, O_RDONLY), "device", path);
		else
			tell(0, "device", path);
		unlink(path);
	}
}

/* ---- system calls ---- */

static const int namespaces[] = { CLONE_NEWUSER,   CLONE_NEWNS,  CLONE_NEWPID, CLONE_NEWNET,
				  CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWUTS };
static int which;

static int unshares(void)
{
	return unshare(namespaces[which]) == 0;
}

static int clones(void)
{
	long pid = syscall(SYS_clone, (unsigned long)namespaces[which] | SIGCHLD, NULL, NULL, NULL,
			   NULL);

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static int clones3(void)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} args = { .flags = (uint64_t)namespaces[which], .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static int mounts_tmpfs(void)
{
	return mount("none", "/tmp", "tmpfs", 0, NULL) == 0 && umount("/tmp") == 0;
}

static int mounts_proc(void)
{
	return mount("proc", "/tmp", "proc", 0, NULL) == 0 && umount("/tmp") == 0;
}

/* Bound read-only, asked to be writable. */
static int remounts(void)
{
	return access("/.dockerenv-never", F_OK) != 0 &&
	       mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL) == 0;
}

static int opens_tree(void)
{
	return syscall(428 /* open_tree */, AT_FDCWD, "/", 1 /* OPEN_TREE_CLONE */) >= 0;
}

static int enters(void)
{
	int fd = open("/proc/1/ns/mnt", O_RDONLY);

	return fd >= 0 && setns(fd, 0) == 0;
}

static int has_session_key(void)
{
	return syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3 /* session */, 1) >= 0;
}

static int adds_key(void)
{
	return syscall(SYS_add_key, "user", "escape", "x", 1, -2 /* process */) >= 0;
}

static int loads_bpf(void)
{
	char attr[128] = { 1 /* HASH */, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 1 };

	return syscall(SYS_bpf, 0 /* MAP_CREATE */, attr, sizeof(attr)) >= 0;
}

static int counts_events(void)
{
	uint32_t attr[32] = { 1 /* SOFTWARE */, sizeof(attr) };

	return syscall(SYS_perf_event_open, attr, 0, -1, -1, 0) >= 0;
}

static int opens_handle(void)
{
	uint32_t handle[8] = { 8, 1, 2 };
	int fd = open("/", O_RDONLY);

	/* Whoever may do it is told that there is no such file. */
	return syscall(SYS_open_by_handle_at, fd, handle, O_RDONLY) >= 0 || errno == ESTALE;
}

/* Wrong numbers: refused before they are looked at, unless one may. */
static int reboots(void)
{
	return syscall(SYS_reboot, 0, 0, 0, NULL) >= 0 || errno == EINVAL;
}

static int loads_module(void)
{
	return syscall(SYS_finit_module, -1, "", 0) >= 0 || errno == EBADF;
}

static int reads_log(void)
{
	char text[64];

	return syscall(SYS_syslog, 3 /* READ_ALL */, text, sizeof(text)) >= 0;
}

static int has_raw_socket(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0;
}

static int has_packet_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0) >= 0;
}

static int becomes_root(void)
{
	uid_t real, effective, saved;

	getresuid(&real, &effective, &saved);
	return effective != 0 && setuid(0) == 0;
}

#ifdef __x86_64__
/* unshare(NEWUSER) by the numbers of two other tables, which a filter of one architecture may forget. */
static int calls_as_i386(void)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(310L), "b"((long)CLONE_NEWUSER)
			 : "memory", "r8", "r9", "r10", "r11");
	return result == 0;
}

static int calls_as_x32(void)
{
	return syscall(0x40000000 + 272, CLONE_NEWUSER) == 0;
}
#endif

static const struct {
	const char *name;
	int (*fn)(void);
} attempts[] = {
	{ "mount tmpfs", mounts_tmpfs },
	{ "mount proc", mounts_proc },
	{ "remount /proc/sys", remounts },
	{ "open_tree", opens_tree },
	{ "setns", enters },
	{ "keyctl", has_session_key },
	{ "add_key", adds_key },
	{ "bpf", loads_bpf },
	{ "perf_event_open", counts_events },
	{ "open_by_handle_at", opens_handle },
	{ "reboot", reboots },
	{ "finit_module", loads_module },
	{ "syslog", reads_log },
	{ "raw socket", has_raw_socket },
	{ "packet socket", has_packet_socket },
	{ "setuid", becomes_root },
#ifdef __x86_64__
	{ "unshare as i386", calls_as_i386 },
	{ "unshare as x32", calls_as_x32 },
#endif
};

static void try_calls(void)
{
	static const struct {
		const char *name;
		int (*fn)(void);
	} ways[] = { { "unshare", unshares }, { "clone", clones }, { "clone3", clones3 } };
	char text[32];

	for (size_t i = 0; i < COUNTOF(attempts); i++)
		tell(forked(attempts[i].fn), "system call", attempts[i].name);
	for (size_t k = 0; k < COUNTOF(ways); k++)
		for (which = 0; which < (int)COUNTOF(namespaces); which++) {
			snprintf(text, sizeof(text), "%x", (unsigned)namespaces[which]);
			tell(forked(ways[k].fn), ways[k].name, text);
		}
}

/* ---- others ---- */

static int connects(int port, const char *name, const char *path)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t n = name ? strlen(name) : 0;
	int fd = socket(port ? AF_INET : AF_UNIX, SOCK_STREAM, 0), is_there;

	if (name)
		memcpy(un.sun_path + 1, name, n);
	else if (path)
		snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (port)
		is_there = connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0;
	else
		is_there =
			connect(fd, (struct sockaddr *)&un,
				name ? (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n)
				     : (socklen_t)sizeof(un)) == 0;
	close(fd);
	return is_there;
}

static void try_others(const char *port, const char *name, pid_t pid)
{
	static const char *const sockets[] = {
		"/var/run/docker.sock",
		"/run/docker.sock",
		"/run/containerd/containerd.sock",
		"/run/podman/podman.sock",
		"/run/buildkit/buildkitd.sock",
		"/run/systemd/private",
		"/run/dbus/system_bus_socket",
	};

	tell(connects(atoi(port), NULL, NULL), "network", "loopback of the host");
	tell(connects(0, name, NULL), "network", "abstract socket of the host");
	for (size_t i = 0; i < COUNTOF(sockets); i++)
		tell(connects(0, NULL, sockets[i]), "socket", sockets[i]);
	tell(kill(pid, 0) == 0 || errno == EPERM, "process", "signal");
	tell(ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0, "process", "ptrace");
	if (getppid() > 1)
		tell(ptrace(PTRACE_SEIZE, 1, NULL, NULL) == 0, "process", "ptrace of the first");
}

static void print_state(void)
{
	struct rlimit core = { 1, 1 };
	char line[256];
	FILE *file = fopen("/proc/self/status", "r");

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "Cap", 3) == 0 || strncmp(line, "NoNew", 5) == 0 ||
		    strncmp(line, "Seccomp:", 8) == 0)
			printf("state %s", line);
	if (file)
		fclose(file);
	getrlimit(RLIMIT_CORE, &core);
	printf("state Core: %llu\n", (unsigned long long)core.rlim_max);
}

int main(int argc, char **argv)
{
	char word[256];

	if (argc < 7)
		return 64;
	snprintf(word, sizeof(word), "%s%s", argv[1], argv[2]);
	print_state();
	try_files(argv + 6);
	try_processes(word, argv + 6);
	try_device("kmsg", S_IFCHR, makedev(1, 11));
	try_device("mem", S_IFCHR, makedev(1, 1));
	try_calls();
	try_others(argv[3], argv[4], (pid_t)atoi(argv[5]));
	printf("tried %d\n", n_tried);
	return 0;
}
