/* SPDX-License-Identifier: MIT */
/*
 * What functions of the C library expect, by their manual pages. To add one,
 * add a row; a module's own functions: pmodule_constraint_add.
 */
#include "expects.h"

/* Memory that is read, written, both, text; how many elements which argument
 * counts (-1: at least one byte). */
#define R(NAME, COUNT)                                                         \
	{                                                                      \
#NAME, PMODULE_ARGUMENT_READ, false, 0, COUNT, 0, 0,           \
		{                                                              \
			0                                                      \
		}                                                              \
	}
#define W(NAME, COUNT)                                                         \
	{                                                                      \
#NAME, PMODULE_ARGUMENT_WRITE, false, 0, COUNT, 0, 0,          \
		{                                                              \
			0                                                      \
		}                                                              \
	}
#define U(NAME)                                                                \
	{                                                                      \
#NAME, PMODULE_ARGUMENT_UPDATE, false, 0, -1, 0, 0,            \
		{                                                              \
			0                                                      \
		}                                                              \
	}
#define S(NAME)                                                                \
	{                                                                      \
#NAME, PMODULE_ARGUMENT_STRING, false, 0, -1, 0, 0,            \
		{                                                              \
			0                                                      \
		}                                                              \
	}
#define C(NAME)                                                                \
	{                                                                      \
#NAME, PMODULE_ARGUMENT_FUNCTION, false, 0, -1, 0, 0,          \
		{                                                              \
			0                                                      \
		}                                                              \
	}
/* A size; anything; a format, and what it makes the function read. */
#define N(NAME)                                                                \
	{                                                                      \
#NAME, PMODULE_ARGUMENT_NUMBER, false, 0, -1, 0, 0,            \
		{                                                              \
			0                                                      \
		}                                                              \
	}
#define A(NAME)                                                                \
	{                                                                      \
#NAME, PMODULE_ARGUMENT_ANY, true, 0, -1, 0, 0,                \
		{                                                              \
			0                                                      \
		}                                                              \
	}
#define F                                                                      \
	{                                                                      \
		"an argument of the format", PMODULE_ARGUMENT_READ, true, 0,   \
		    -1, 0, 0,                                                  \
		{                                                              \
			0                                                      \
		}                                                              \
	}

#define ROW(NAME, N, ...)                                                      \
	{                                                                      \
		sizeof(pmodule_constraint_t), N, #NAME, {__VA_ARGS__},         \
		{                                                              \
			0                                                      \
		}                                                              \
	}

/* clang-format off */
static const pmodule_constraint_t rows[] = {
	ROW(memcpy, 3, W(dest, 2), R(src, 2), N(n)),
	ROW(memmove, 3, W(dest, 2), R(src, 2), N(n)),
	ROW(mempcpy, 3, W(dest, 2), R(src, 2), N(n)),
	ROW(memset, 3, W(s, 2), A(c), N(n)),
	ROW(memcmp, 3, R(s1, 2), R(s2, 2), N(n)),
	ROW(memchr, 3, R(s, -1), A(c), N(n)),
	ROW(memrchr, 3, R(s, -1), A(c), N(n)),
	ROW(bcmp, 3, R(s1, 2), R(s2, 2), N(n)),
	ROW(bcopy, 3, R(src, 2), W(dest, 2), N(n)),
	ROW(bzero, 2, W(s, 1), N(n)),
	ROW(strlen, 1, S(s)),
	ROW(strnlen, 2, R(s, -1), A(maxlen)),
	ROW(strcpy, 2, W(dest, -1), S(src)),
	ROW(stpcpy, 2, W(dest, -1), S(src)),
	ROW(strncpy, 3, W(dest, 2), R(src, -1), N(n)),
	ROW(strcat, 2, W(dest, -1), S(src)),
	ROW(strncat, 3, W(dest, -1), R(src, -1), A(n)),
	ROW(strcmp, 2, S(s1), S(s2)),
	ROW(strncmp, 3, R(s1, -1), R(s2, -1), A(n)),
	ROW(strcasecmp, 2, S(s1), S(s2)),
	ROW(strncasecmp, 3, R(s1, -1), R(s2, -1), A(n)),
	ROW(strchr, 2, S(s), A(c)),
	ROW(strrchr, 2, S(s), A(c)),
	ROW(strstr, 2, S(haystack), S(needle)),
	ROW(strdup, 1, S(s)),
	ROW(strndup, 2, R(s, -1), A(n)),
	ROW(strtok, 2, U(str), S(delim)),
	ROW(strtok_r, 3, U(str), S(delim), U(saveptr)),
	ROW(strtol, 3, S(nptr), A(endptr), A(base)),
	ROW(strtoul, 3, S(nptr), A(endptr), A(base)),
	ROW(atoi, 1, S(nptr)),
	ROW(atol, 1, S(nptr)),
	ROW(puts, 1, S(s)),
	ROW(fputs, 2, S(s), U(stream)),
	ROW(printf, 1, F),
	ROW(fprintf, 2, U(stream), F),
	ROW(sprintf, 2, W(str, -1), F),
	ROW(snprintf, 3, W(str, 1), N(size), F),
	ROW(fclose, 1, U(stream)),
	ROW(fflush, 1, U(stream)),
	ROW(fread, 4, W(ptr, -1), A(size), A(nmemb), U(stream)),
	ROW(fwrite, 4, R(ptr, -1), A(size), A(nmemb), U(stream)),
	ROW(fgets, 3, W(s, 1), A(size), U(stream)),
	ROW(pthread_mutex_lock, 1, U(mutex)),
	ROW(pthread_mutex_unlock, 1, U(mutex)),
	ROW(pthread_cond_wait, 2, U(cond), U(mutex)),
	ROW(pthread_cond_signal, 1, U(cond)),
	ROW(pthread_rwlock_rdlock, 1, U(rwlock)),
	ROW(pthread_rwlock_wrlock, 1, U(rwlock)),
	ROW(pthread_join, 2, U(thread), A(retval)),
	ROW(closedir, 1, U(dirp)),
	ROW(readdir, 1, U(dirp)),
	ROW(bsearch, 5, R(key, -1), R(base, -1), A(nmemb), A(size), C(compar)),
	ROW(fgetc, 1, U(stream)),
	ROW(fputc, 2, A(c), U(stream)),
	ROW(fseek, 3, U(stream), A(offset), A(whence)),
	ROW(getc, 1, U(stream)),
	ROW(getline, 3, U(lineptr), U(n), U(stream)),
	ROW(pthread_cond_broadcast, 1, U(cond)),
	ROW(pthread_mutex_destroy, 1, U(mutex)),
	ROW(pthread_mutex_trylock, 1, U(mutex)),
	ROW(pthread_rwlock_unlock, 1, U(rwlock)),
	ROW(qsort, 4, U(base), A(nmemb), A(size), C(compar)),
	ROW(rewind, 1, U(stream)),
	ROW(sem_post, 1, U(sem)),
	ROW(sem_wait, 1, U(sem)),
	ROW(setvbuf, 4, U(stream), A(buf), A(mode), A(size)),
	ROW(strcoll, 2, S(s1), S(s2)),
	ROW(strcspn, 2, S(s), S(reject)),
	ROW(strpbrk, 2, S(s), S(accept)),
	ROW(strspn, 2, S(s), S(accept)),
	ROW(ungetc, 2, A(c), U(stream)),
	ROW(vfprintf, 2, U(stream), F),
	ROW(vsnprintf, 3, W(str, 1), N(size), F),
	ROW(wmemcpy, 3, W(dest, 2), R(src, 2), N(n)),
};
/* clang-format on */

const pmodule_constraint_t *
expects_known(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].function, name) == 0)
			return &rows[i];
	return NULL;
}
