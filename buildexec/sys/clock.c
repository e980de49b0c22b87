/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c — clocks and randomness of the kernel, nothing cached. */
#include "buildexec/sys/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "model/base/err.h"

static struct timespec read_clock(clockid_t id)
{
	struct timespec now;

	if (clock_gettime(id, &now) < 0)
		BUG("the kernel has no clock %d", (int)id);
	return now;
}

int64_t clock_now_s(void)
{
	return read_clock(CLOCK_REALTIME).tv_sec;
}

int64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

int64_t clock_mono_us(void)
{
	struct timespec now = read_clock(CLOCK_MONOTONIC);

	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void clock_sleep_ms(int64_t ms)
{
	struct timespec rest = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };

	if (ms <= 0)
		return;
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) == EINTR)
		;
}

void clock_boot_id(char out[BOOT_ID_TEXT])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, out, BOOT_ID_TEXT - 1);

	if (fd >= 0)
		close(fd);
	out[n == BOOT_ID_TEXT - 1 ? n : 0] = '\0';
}

void random_bytes(void *out, size_t n)
{
	unsigned char *at = out;

	while (n) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			BUG("the kernel gives no randomness (errno %d)", errno);
		at += got;
		n -= (size_t)got;
	}
}

int64_t backoff_ms(unsigned attempt, int64_t base_ms, int64_t cap_ms)
{
	int64_t top = base_ms < cap_ms ? base_ms : cap_ms;
	uint64_t any;

	for (unsigned i = 0; i < attempt && top < cap_ms; i++)
		top = top > cap_ms / 2 ? cap_ms : top * 2;
	if (top <= 0)
		return 0;
	random_bytes(&any, sizeof(any));
	return (int64_t)(any % ((uint64_t)top + 1));
}
