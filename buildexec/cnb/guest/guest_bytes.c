/* SPDX-License-Identifier: Apache-2.0 */
/* guest_bytes.c — takes the programs' files in at assembly time; C has no way to say it before C23's #embed. */
#include "buildexec/cnb/guest_bytes.h"

/* clang-format off */
#define INCLUDE_FILE(name, file)                          \
	__asm__(".pushsection .rodata\n"                  \
		".balign 16\n"                            \
		".global cnb_" #name "_bytes\n"           \
		".type cnb_" #name "_bytes, @object\n"    \
		"cnb_" #name "_bytes:\n"                  \
		".incbin \"" file "\"\n"                  \
		".Lend_" #name ":\n"                      \
		".size cnb_" #name "_bytes, .Lend_" #name " - cnb_" #name "_bytes\n" \
		".balign 8\n"                             \
		".global cnb_" #name "_size\n"            \
		".type cnb_" #name "_size, @object\n"     \
		".size cnb_" #name "_size, 8\n"           \
		"cnb_" #name "_size:\n"                   \
		".quad .Lend_" #name " - cnb_" #name "_bytes\n" \
		".popsection\n")
/* clang-format on */

_Static_assert(sizeof(size_t) == 8, "sizes are written as 64-bit numbers");

INCLUDE_FILE(guest, GUEST_FILE);
INCLUDE_FILE(launcher, LAUNCHER_FILE);
