# Compile options of every target of ours. `project_options` for all; `project_sanitize` for what runs on the host
# (the static guest programs cannot carry a sanitizer runtime).
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

include(CheckCCompilerFlag)
# Of x86-64: indirect jumps land only where they may, returns go back where they came from.
check_c_compiler_flag(-fcf-protection=full HAS_CF_PROTECTION)
check_c_compiler_flag(-fstack-clash-protection HAS_STACK_CLASH_PROTECTION)

add_library(project_options INTERFACE)
target_compile_definitions(project_options INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64
	RECONCILE_VERSION="${PROJECT_VERSION}")
target_include_directories(project_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(project_options INTERFACE
	-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla
	-Wwrite-strings -Wundef -Wpointer-arith -Wcast-qual -Wswitch-enum -Wimplicit-fallthrough
	-Wno-missing-field-initializers -fstack-protector-strong -fno-common)
if(CMAKE_C_COMPILER_ID STREQUAL GNU)
	target_compile_options(project_options INTERFACE -Wjump-misses-init -Wlogical-op -Wduplicated-cond)
endif()
if(HAS_CF_PROTECTION AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
	target_compile_options(project_options INTERFACE -fcf-protection=full)
endif()
if(HAS_STACK_CLASH_PROTECTION)
	target_compile_options(project_options INTERFACE -fstack-clash-protection)
endif()
if(WERROR)
	target_compile_options(project_options INTERFACE -Werror)
endif()

add_library(project_sanitize INTERFACE)
if(SAN)
	target_compile_options(project_sanitize INTERFACE -fsanitize=${SAN} -fno-omit-frame-pointer -fno-sanitize-recover=all)
	target_link_options(project_sanitize INTERFACE -fsanitize=${SAN})
	target_compile_definitions(project_sanitize INTERFACE RECONCILE_SANITIZED=1)
else()
	target_compile_options(project_sanitize INTERFACE $<$<CONFIG:Release,RelWithDebInfo>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
endif()
if(FUZZ)
	# Coverage of what is fuzzed, not only of the target's own file.
	target_compile_options(project_sanitize INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_compile_options(project_sanitize INTERFACE -fPIE)
target_link_options(project_sanitize INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)
if(HAS_CF_PROTECTION AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
	# The C library's start files carry no mark: said for them, a shadow stack needs nothing of them.
	target_link_options(project_sanitize INTERFACE -Wl,-z,shstk)
endif()
