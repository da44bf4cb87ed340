/* SPDX-License-Identifier: MIT */
/*
 * Setting and wrapping errors. All setters return false, so that
 * `return bt_fail(e, ...)` is one line. A NULL error is allowed.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <bt.h>

#define BT_PRINTF(F, A) __attribute__((format(printf, F, A)))
#define BT_CHECK __attribute__((warn_unused_result))

/* Short name of a code ("format", "limit"), never NULL. */
const char *bt_error_code_name(uint32_t code);

bool bt_fail(bt_error_t *e, enum bt_error_code code, const char *format, ...)
    BT_PRINTF(3, 4);

/* Appends ": strerror(errnum)" to the text and keeps errnum. ENOENT becomes
 * BT_E_NOTFOUND, EPERM and EACCES BT_E_PERMISSION, ENOMEM BT_E_NOMEM, ESRCH
 * BT_E_GONE, anything else BT_E_OS. */
bool bt_fail_os(bt_error_t *e, int errnum, const char *format, ...)
    BT_PRINTF(3, 4);

/* BT_E_FORMAT with the offset at which the data is damaged. */
bool bt_fail_format(bt_error_t *e, uint64_t offset, const char *format, ...)
    BT_PRINTF(3, 4);

/* BT_E_FAULT with the address that could not be read. */
bool bt_fail_fault(bt_error_t *e, bt_addr_t address, const char *format, ...)
    BT_PRINTF(3, 4);

/* Puts "PREFIX: " before the text of an error that is already set. */
bool bt_wrap(bt_error_t *e, const char *format, ...) BT_PRINTF(2, 3);

void bt_error_clear(bt_error_t *e);

#endif /* BASE_ERROR_H */
