/* SPDX-License-Identifier: MIT */
/*
 * Faults on demand, so that error paths can be taken. Allocations of the code
 * under test go through the linker's --wrap; those inside libc and of the
 * sanitizers do not. System calls are refused by a seccomp filter, which the
 * test's process takes with it when it ends.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>

#include "harness/runner.h"
#include "harness/test.h"

bool test_denied;

static bool limited, refused;
static size_t allowed;

void
test_alloc_allow(size_t count)
{
	limited = true;
	refused = false;
	allowed = count;
}

bool
test_alloc_restore(void)
{
	limited = false;
	return refused;
}

static bool
refuse(void)
{
	if (!limited)
		return false;
	if (allowed > 0) {
		allowed--;
		return false;
	}
	refused = true;
	errno = ENOMEM;
	return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t size);
/* Not fortified here, so that this one name is enough. */
int __real_vasprintf(char **out, const char *format, va_list ap)
    __attribute__((format(printf, 2, 0)));
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t size);
int __wrap_vasprintf(char **out, const char *format, va_list ap)
    __attribute__((format(printf, 2, 0)));
int __wrap_asprintf(char **out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void *
__wrap_malloc(size_t size)
{
	return refuse() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return refuse() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	return refuse() ? NULL : __real_realloc(p, size);
}

char *
__wrap_strdup(const char *s)
{
	return refuse() ? NULL : __real_strdup(s);
}

char *
__wrap_strndup(const char *s, size_t size)
{
	return refuse() ? NULL : __real_strndup(s, size);
}

int
__wrap_vasprintf(char **out, const char *format, va_list ap)
{
	return refuse() ? -1 : __real_vasprintf(out, format, ap);
}

int
__wrap_asprintf(char **out, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = __wrap_vasprintf(out, format, ap);
	va_end(ap);
	return n;
}

/* The names under which the two go with _FORTIFY_SOURCE. */
int __wrap___vasprintf_chk(char **out, int flag, const char *format, va_list ap)
    __attribute__((format(printf, 3, 0)));
int __wrap___asprintf_chk(char **out, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int
__wrap___vasprintf_chk(char **out, int flag, const char *format, va_list ap)
{
	(void)flag;
	return __wrap_vasprintf(out, format, ap);
}

int
__wrap___asprintf_chk(char **out, int flag, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = __wrap___vasprintf_chk(out, flag, format, ap);
	va_end(ap);
	return n;
}

#define WORD(FIELD) (uint32_t) offsetof(struct seccomp_data, FIELD)

/* mask 0: whatever the arguments. */
static void
deny(uint32_t number, unsigned arg, uint32_t mask, int errnum)
{
	/* The low half of the argument, on this little-endian machine. */
	uint32_t at = WORD(args) + arg * 8;
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD(nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at),
	    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, mask, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K,
		SECCOMP_RET_ERRNO | ((uint32_t)errnum & SECCOMP_RET_DATA)),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		skip("no seccomp filters here: %s", strerror(errno));
	test_denied = true;
}

void
test_deny(long syscall_number, int errnum)
{
	deny((uint32_t)syscall_number, 0, 0, errnum);
}

void
test_deny_flag(long syscall_number, unsigned arg, uint32_t mask, int errnum)
{
	deny((uint32_t)syscall_number, arg, mask, errnum);
}
