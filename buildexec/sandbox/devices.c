/* SPDX-License-Identifier: Apache-2.0 */
/* devices.c — version 2 asks a program for each device that is opened, version 1 a list. */
#include "buildexec/sandbox/devices.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"

enum { ANY_MINOR = -1, PROGRAM_MAX = 64 };

/* Character devices: null, zero, full, random, urandom; tty, ptmx; terminals. */
static const struct {
	int major, minor;
} usual[] = { { 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 },
	      { 1, 9 }, { 5, 0 }, { 5, 2 }, { 136, ANY_MINOR } };

static bool write_line(const char *dir, const char *file, const char *text)
{
	char path[4200];
	AUTO_FD fd = -1;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static bool limit_by_list(const char *dir)
{
	static const char allow[] = "devices.allow";
	char line[64];

	if (!write_line(dir, "devices.deny", "a") || !write_line(dir, allow, "c *:* m") ||
	    !write_line(dir, allow, "b *:* m"))
		return false;
	for (size_t i = 0; i < COUNTOF(usual); i++) {
		if (usual[i].minor == ANY_MINOR)
			snprintf(line, sizeof(line), "c %d:* rw", usual[i].major);
		else
			snprintf(line, sizeof(line), "c %d:%d rw", usual[i].major, usual[i].minor);
		if (!write_line(dir, allow, line))
			return false;
	}
	return true;
}

struct program {
	struct bpf_insn v[PROGRAM_MAX];
	size_t n;
};

static void add(struct program *p, unsigned code, unsigned reg, unsigned from, int offset,
		int value)
{
	p->v[p->n++] = (struct bpf_insn){ .code = (uint8_t)code,
					  .dst_reg = (uint8_t)(reg & 15),
					  .src_reg = (uint8_t)(from & 15),
					  .off = (int16_t)offset,
					  .imm = value };
}

static void answer(struct program *p, int value)
{
	add(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value);
	add(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* 1 lets the process open it. Every yes is on the spot: with so few devices no jump needs counting. */
static void write_program(struct program *p)
{
	enum { ACCESS = BPF_REG_2, MAJOR = BPF_REG_4, MINOR = BPF_REG_5, ANSWER_LEN = 2 };

	add(p, BPF_LDX | BPF_MEM | BPF_W, ACCESS, BPF_REG_1, 0, 0);
	add(p, BPF_LDX | BPF_MEM | BPF_W, MAJOR, BPF_REG_1, 4, 0);
	add(p, BPF_LDX | BPF_MEM | BPF_W, MINOR, BPF_REG_1, 8, 0);
	add(p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, ACCESS, 0, 0);
	add(p, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16);
	add(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_3, 0, ANSWER_LEN, BPF_DEVCG_ACC_MKNOD);
	answer(p, 1);
	add(p, BPF_ALU64 | BPF_AND | BPF_K, ACCESS, 0, 0, 0xffff);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, ACCESS, 0, ANSWER_LEN, BPF_DEVCG_DEV_CHAR);
	answer(p, 0);
	for (size_t i = 0; i < COUNTOF(usual); i++) {
		bool is_any = usual[i].minor == ANY_MINOR;

		add(p, BPF_JMP | BPF_JNE | BPF_K, MAJOR, 0, ANSWER_LEN + !is_any, usual[i].major);
		if (!is_any)
			add(p, BPF_JMP | BPF_JNE | BPF_K, MINOR, 0, ANSWER_LEN, usual[i].minor);
		answer(p, 1);
	}
	answer(p, 0);
}

/* The group keeps the program until it is removed. */
static bool limit_by_program(const char *dir)
{
	struct program program = { 0 };
	union bpf_attr load, attach;
	AUTO_FD fd = -1;
	AUTO_FD group = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (group < 0)
		return false;
	write_program(&program);
	memset(&load, 0, sizeof(load));
	load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	load.insns = (uint64_t)(uintptr_t)program.v;
	load.insn_cnt = (uint32_t)program.n;
	load.license = (uint64_t)(uintptr_t) "Apache-2.0";
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	if (fd < 0)
		return false;
	memset(&attach, 0, sizeof(attach));
	attach.target_fd = (uint32_t)group;
	attach.attach_bpf_fd = (uint32_t)fd;
	attach.attach_type = BPF_CGROUP_DEVICE;
	attach.attach_flags = BPF_F_ALLOW_MULTI;
	return syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)) == 0;
}

bool devices_limit(const char *dir, bool is_v2)
{
	return is_v2 ? limit_by_program(dir) : limit_by_list(dir);
}
