/* SPDX-License-Identifier: MIT */
/*
 * Errors and addresses: the vocabulary every Inquest interface shares.
 *
 * A function that can fail returns bool and takes a bt_error_t that the caller
 * owns, usually on its stack. NULL is allowed where the reason does not
 * matter. The error is written only on failure and holds no allocated memory.
 */
#ifndef BT_H
#define BT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An address in the target, never in this process. */
typedef uint64_t bt_addr_t;

enum bt_error_code {
	BT_OK = 0,
	BT_E_NOMEM,	  /* allocation failed or an arena's cap was reached */
	BT_E_OS,	  /* a system call failed, see errnum */
	BT_E_LIMIT,	  /* a budget was exceeded (steps, depth, bytes) */
	BT_E_TIMEOUT,	  /* a deadline passed */
	BT_E_NOTFOUND,	  /* what was asked for does not exist */
	BT_E_FAULT,	  /* target memory is not readable, see address */
	BT_E_FORMAT,	  /* foreign data is damaged, see offset */
	BT_E_UNSUPPORTED, /* well-formed, but not known to us */
	BT_E_MISMATCH,	  /* a file is not the one that was used (build-id) */
	BT_E_PERMISSION,  /* not allowed to read or attach */
	BT_E_GONE,	  /* the process or thread ended */
	BT_E_USAGE,	  /* the caller's arguments are wrong */
	BT_E_INTERNAL,	  /* a fault of ours */
	BT_E__COUNT
};

typedef struct bt_error {
	uint32_t code; /* enum bt_error_code */
	int32_t errnum;
	bt_addr_t address; /* for BT_E_FAULT */
	uint64_t offset;   /* for BT_E_FORMAT: offset in the file or section */
	uint64_t reserved[2];
	char text[216]; /* one line, terminated, foreign bytes escaped */
} bt_error_t;

#ifdef __cplusplus
}
#endif
#endif /* BT_H */
