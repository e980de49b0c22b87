/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h — the only place that reads a clock or asks for randomness. */
#ifndef BUILDEXEC_SYS_CLOCK_H
#define BUILDEXEC_SYS_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_now_s(void);   /* wall clock, Unix seconds       */
int64_t clock_mono_ms(void); /* monotonic, for timeouts        */
int64_t clock_mono_us(void); /* monotonic, for --timings       */
void clock_sleep_ms(int64_t ms);
/* Names the time since this machine was started, the same in all its containers; "" where the kernel does not tell. */
enum { BOOT_ID_TEXT = 37 };
void clock_boot_id(char out[BOOT_ID_TEXT]);
void random_bytes(void *out, size_t n); /* getrandom; aborts when the kernel has none */
/* Full jitter: a random wait of 0 … min(cap, base << attempt) milliseconds. */
int64_t backoff_ms(unsigned attempt, int64_t base_ms, int64_t cap_ms);

#endif
