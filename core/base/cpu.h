/* SPDX-License-Identifier: MIT */
/*
 * What this processor can do, and how many there are. The dynamic
 * linker has asked it already and, since glibc 2.33, tells; the compiler's own
 * __builtin_cpu_supports asks again before main(), some ten times by CPUID,
 * which in a virtual machine leaves it each time (7 us, measured).
 */
#ifndef BASE_CPU_H
#define BASE_CPU_H

#include <sched.h>
#include <stdbool.h>

#ifdef __x86_64__
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>

#define CPU_HAS_SSE42 CPU_FEATURE_ACTIVE(SSE4_2)
#define CPU_HAS_BMI2 CPU_FEATURE_ACTIVE(BMI2)
#define CPU_HAS_AVX2 CPU_FEATURE_ACTIVE(AVX2)
#else
#define CPU_HAS_SSE42 __builtin_cpu_supports("sse4.2")
#define CPU_HAS_BMI2 __builtin_cpu_supports("bmi2")
#define CPU_HAS_AVX2 __builtin_cpu_supports("avx2")
#endif
#endif

/* How many we may run on. Not by sysconf(3), which reads a file of /sys: who
 * calls us may not be allowed to. More than fit in the set are as many as do.
 */
static inline unsigned
cpu_count(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0
	    ? (unsigned)CPU_COUNT(&set)
	    : CPU_SETSIZE;
}

/* A second thread would have to wait for us. */
static inline bool
cpu_is_single(void)
{

	return cpu_count() < 2;
}

#endif /* BASE_CPU_H */
