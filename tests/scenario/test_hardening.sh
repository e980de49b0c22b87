#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the built programs are hardened with, read off the files themselves: position independent, nothing writable and executable,
# relocations read-only from the start, stack protector, checked libc calls, control-flow marks, no search path of libraries.
set -euo pipefail
build=$(cd "$1" && pwd)
command -v readelf >/dev/null || { echo "skipped: readelf is not installed"; exit 77; }
failed=0
check() { # WHAT COMMAND…
	local what=$1
	shift
	if "$@"; then echo "ok - $what"; else echo "not ok - $what"; failed=1; fi
}
has() { grep -Eq -- "$1" <<<"$2"; }
lacks() { ! grep -Eq -- "$1" <<<"$2"; }

program=$build/reconcile
[ -x "$program" ] || { echo "skipped: $program is not built"; exit 77; }
headers=$(readelf -hlW "$program")
dynamic=$(readelf -dW "$program")
symbols=$(readelf -W --dyn-syms "$program")
check "position independent" has 'Type: +DYN \(Position-Independent' "$headers"
check "a stack that nobody executes" has 'GNU_STACK .* RW +0x' "$headers"
check "no segment is writable and executable" lacks '^ +LOAD .* RWE ' "$headers"
check "relocations become read-only" has 'GNU_RELRO' "$headers"
check "all of them, before anything runs" has 'BIND_NOW' "$dynamic"
check "no path of its own to libraries" lacks 'RPATH|RUNPATH' "$dynamic"
check "no text relocations" lacks 'TEXTREL' "$dynamic"
check "the sections of code are no data" lacks '\.text .* WAX' "$(readelf -SW "$program")"

# A sanitizer brings its own checks instead of these.
if lacks '__asan_|__tsan_|__ubsan_' "$symbols"; then
	check "the stack is protected" has '__stack_chk_fail' "$symbols"
	check "calls of libc are checked" has '__(snprintf|memcpy|vsnprintf|read|memmove|strncpy|fprintf|vfprintf)_chk' "$symbols"
	if has 'Machine: .*X86-64' "$headers"; then
		notes=$(readelf -nW "$program")
		code=$(objdump -d --no-show-raw-insn --disassemble=main "$program")
		check "its functions mark where jumps may land" has 'endbr64' "$code"
		check "it may run with a shadow stack" has 'x86 feature: .*SHSTK' "$notes"
	fi
fi

# What runs inside of containers and images: static, without a writable and executable part.
for guest in cnb-guest cnb-launcher; do
	check "$guest is built" [ -f "$build/$guest" ]
	headers=$(readelf -hlW "$build/$guest")
	check "$guest: relocations become read-only" has 'GNU_RELRO' "$headers"
	check "$guest: nothing writable and executable" lacks '(LOAD|GNU_STACK) .* RWE ' "$headers"
	check "$guest: needs no library" lacks 'INTERP' "$headers"
	check "$guest: the stack is protected" grep -aq 'stack smashing\|__stack_chk\|fs:0x28' <(objdump -d --no-show-raw-insn "$build/$guest" | grep -m 1 'fs:0x28')
done
exit $failed
