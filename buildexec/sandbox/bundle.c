/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.c — fixed parts are written as they are, what comes from outside through the JSON printer. */
#include "buildexec/sandbox/bundle.h"

#include <stdio.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "model/doc/json.h"

/* clang-format off */
static const char masked[] =
	"\"maskedPaths\":[\"/proc/acpi\",\"/proc/asound\",\"/proc/interrupts\",\"/proc/kcore\",\"/proc/key-users\","
	"\"/proc/keys\",\"/proc/kpagecgroup\",\"/proc/kpagecount\",\"/proc/kpageflags\",\"/proc/latency_stats\","
	"\"/proc/timer_list\",\"/proc/timer_stats\",\"/proc/sched_debug\",\"/proc/scsi\",\"/proc/vmallocinfo\",\"/sys/firmware\","
	"\"/sys/devices/virtual/powercap\"],"
	"\"readonlyPaths\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/pressure\",\"/proc/sys\",\"/proc/sysrq-trigger\"]";

/* Refused with EPERM whatever their arguments. */
static const char *const refused[] = {
	"_sysctl", "acct", "add_key", "bpf", "create_module", "delete_module", "fanotify_init", "finit_module", "fsconfig",
	"fsmount", "fsopen", "fspick", "get_kernel_syms", "init_module", "io_uring_enter", "io_uring_register",
	"io_uring_setup", "ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mount",
	"mount_setattr", "move_mount", "name_to_handle_at", "nfsservctl", "open_by_handle_at", "open_tree",
	"perf_event_open", "pidfd_getfd", "pivot_root", "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace",
	"query_module", "quotactl", "quotactl_fd", "reboot",
	"request_key", "setns", "settimeofday", "stime", "swapoff", "swapon", "syslog", "umount", "umount2",
	"unshare", "uselib", "userfaultfd", "vhangup", "clock_settime", "clock_adjtime", "adjtimex",
};

/* Flags of clone(2) that make namespaces: NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
static const unsigned namespaces[] = {
	0x00000080, 0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
};
/* clang-format on */

/*
 * Sockets are of the families unix (1), inet (2), inet6 (10) and netlink (16). Others (packet, vsock to the machine below, alg,
 * and what modules bring) are said not to exist.
 */
static const struct {
	const char *op;
	unsigned family;
} foreign_sockets[] = {
	{ "SCMP_CMP_EQ", 3 },  { "SCMP_CMP_EQ", 4 },  { "SCMP_CMP_EQ", 5 },  { "SCMP_CMP_EQ", 6 },
	{ "SCMP_CMP_EQ", 7 },  { "SCMP_CMP_EQ", 8 },  { "SCMP_CMP_EQ", 9 },  { "SCMP_CMP_EQ", 11 },
	{ "SCMP_CMP_EQ", 12 }, { "SCMP_CMP_EQ", 13 }, { "SCMP_CMP_EQ", 14 }, { "SCMP_CMP_EQ", 15 },
	{ "SCMP_CMP_GT", 16 },
};

/* Of another architecture than these every call ends the process. */
static const char both_halves[] =
#if defined(__x86_64__)
	"\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],";
#elif defined(__aarch64__)
	"\"architectures\":[\"SCMP_ARCH_AARCH64\",\"SCMP_ARCH_ARM\"],";
#else
	"";
#endif

enum { EPERM_NUMBER = 1, ENOSYS_NUMBER = 38, EAFNOSUPPORT_NUMBER = 97 };

static void add_string(struct buf *out, const char *text)
{
	json_print_string(text, strlen(text), JSON_COMPACT, out);
}

static void add_strings(struct buf *out, const char *key, const struct strings *list)
{
	buf_printf(out, "\"%s\":[", key);
	for (size_t i = 0; i < list->n; i++) {
		buf_puts(out, i ? "," : "");
		add_string(out, list->v[i]);
	}
	buf_puts(out, "]");
}

static void add_process(struct buf *out, const struct sandbox_spec *spec, bool is_rootless)
{
	buf_printf(out, "\"process\":{\"terminal\":false,\"user\":{\"uid\":%u,\"gid\":%u",
		   spec->uid, spec->gid);
	/* Where one group is mapped there are no others to have. */
	if (spec->n_groups && !is_rootless) {
		buf_puts(out, ",\"additionalGids\":[");
		for (size_t i = 0; i < spec->n_groups; i++)
			buf_printf(out, "%s%u", i ? "," : "", spec->groups[i]);
		buf_puts(out, "]");
	}
	buf_puts(out, "},");
	add_strings(out, "args", &spec->argv);
	buf_puts(out, ",");
	add_strings(out, "env", &spec->env);
	buf_puts(out, ",\"cwd\":");
	add_string(out, spec->cwd);
	/* A dump of memory may land on the host, where its pattern says. */
	buf_puts(out, ",\"noNewPrivileges\":true,\"capabilities\":{},"
		      "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":0,\"soft\":0}]},");
}

static void add_bind(struct buf *out, const char *from, const char *to, bool is_writable)
{
	buf_puts(out, ",{\"type\":\"bind\",\"source\":");
	add_string(out, from);
	buf_puts(out, ",\"destination\":");
	add_string(out, to);
	buf_printf(out, ",\"options\":[\"rbind\",\"rprivate\",\"nosuid\",\"nodev\",\"%s\"]}",
		   is_writable ? "rw" : "ro");
}

static void add_mounts(struct buf *out, const struct sandbox_spec *spec, const char *dir)
{
	static const char *const host_files[] = { "/etc/resolv.conf", "/etc/hosts" };

	buf_puts(out,
		 "\"mounts\":["
		 "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\","
		 "\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
		 "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
		 "\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
		 "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
		 "\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode="
		 "0620\"]},"
		 "{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\","
		 "\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]},"
		 "{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\","
		 "\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
		 "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\","
		 "\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]}");
	for (size_t i = 0; spec->network == SANDBOX_HOST && i < COUNTOF(host_files); i++)
		if (fs_exists(host_files[i]))
			add_bind(out, host_files[i], host_files[i], false);
	for (size_t i = 0; i < spec->n_overlays; i++) {
		char from[4096];

		snprintf(from, sizeof(from), "%s/over-%zu", dir, i);
		add_bind(out, from, spec->overlays[i].to, true);
	}
	for (size_t i = 0; i < spec->n_binds; i++)
		add_bind(out, spec->binds[i].from, spec->binds[i].to, spec->binds[i].is_writable);
	buf_puts(out, "],");
}

void bundle_print_seccomp(bool with_32_bit, struct buf *out)
{
	buf_puts(out, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",");
	if (with_32_bit)
		buf_puts(out, both_halves);
	buf_puts(out, "\"syscalls\":["
		      "{\"names\":[");
	for (size_t i = 0; i < COUNTOF(refused); i++)
		buf_printf(out, "%s\"%s\"", i ? "," : "", refused[i]);
	buf_printf(out, "],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":%d}", EPERM_NUMBER);
	for (size_t i = 0; i < COUNTOF(namespaces); i++)
		buf_printf(out,
			   ",{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":%d,"
			   "\"args\":[{\"index\":0,\"value\":%u,\"valueTwo\":%u,"
			   "\"op\":\"SCMP_CMP_MASKED_EQ\"}]}",
			   EPERM_NUMBER, namespaces[i], namespaces[i]);
	for (size_t i = 0; i < COUNTOF(foreign_sockets); i++)
		buf_printf(out,
			   ",{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":%d,"
			   "\"args\":[{\"index\":0,\"value\":%u,\"op\":\"%s\"}]}",
			   EAFNOSUPPORT_NUMBER, foreign_sockets[i].family, foreign_sockets[i].op);
	/* Its flags are in memory where no filter looks; C libraries then fall back to clone. */
	buf_printf(out, ",{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":%d}]}",
		   ENOSYS_NUMBER);
}

static void add_namespaces(struct buf *out, const struct sandbox_spec *spec, bool is_rootless)
{
	buf_puts(out, "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},"
		      "{\"type\":\"mount\"}");
	if (spec->network == SANDBOX_OFFLINE)
		buf_puts(out, ",{\"type\":\"network\"}");
	if (is_rootless)
		/* Inside the namespace made around the runtime, where 0 is our own id. */
		buf_printf(out,
			   ",{\"type\":\"user\"}],"
			   "\"uidMappings\":[{\"containerID\":%u,\"hostID\":0,\"size\":1}],"
			   "\"gidMappings\":[{\"containerID\":%u,\"hostID\":0,\"size\":1}",
			   spec->uid, spec->gid);
	buf_puts(out, "],");
}

void bundle_print(const struct sandbox_spec *spec, const char *dir, bool is_rootless,
		  struct buf *out)
{
	buf_puts(out,
		 "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"" BUNDLE_ROOT "\"},\"hostname\":");
	add_string(out, spec->hostname ? spec->hostname : "reconcile");
	buf_puts(out, ",");
	add_process(out, spec, is_rootless);
	add_mounts(out, spec, dir);
	buf_puts(out, "\"linux\":{");
	add_namespaces(out, spec, is_rootless);
	buf_printf(out, "%s,", masked);
	buf_puts(out, "\"seccomp\":");
	bundle_print_seccomp(false, out);
	buf_puts(out, "}}\n");
}
