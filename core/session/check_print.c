/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>

#include "base/text.h"
#include "formats/json_out.h"
#include "image/image.h"
#include "session/check_print.h"

/* The symbols of a module in C: its callbacks are static functions, which the
 * dynamic linker does not know. */
static struct image *
open_image(const struct check_result *r)
{
	struct image *image;
	bt_error_t e;

	return r->fd >= 0 && image_open_fd(r->fd, r->path, &image, &e) ? image
								       : NULL;
}

static bool
function_name(
    struct image *image, const void *function, struct image_symbol *out)
{
	Dl_info info;

	return image != NULL && function != NULL &&
	    dladdr(function, &info) != 0 &&
	    image_symbol_at(image,
		(uint64_t)(uintptr_t)function -
		    (uint64_t)(uintptr_t)info.dli_fbase,
		out);
}

/* ---- for people ---- */

static void
put(struct buf *out, const char *text)
{

	text_escape(out, text, strlen(text));
}

static void
print_match(const pmodule_match_t *m, struct buf *out)
{
	const char *fault = module_inspect_fault(m), *comma = " where ";

	for (size_t i = 0; i < module_inspect_criteria(m); i++) {
		struct module_criterion c;

		module_inspect_criterion(m, i, &c);
		buf_printf(out, "%s%s %s '", comma, c.kind,
		    c.substr ? "contains" : "is");
		put(out, c.text);
		buf_putc(out, '\'');
		comma = ", ";
	}
	if (fault != NULL)
		buf_printf(out, "%s%s", comma,
		    strcmp(fault, "frame") == 0 ? "it is the frame of the fault"
						: "it is the faulting thread");
}

static void
print_registration(
    const struct module_registration *r, struct image *image, struct buf *out)
{
	struct image_symbol symbol;

	buf_puts(out, "  ");
	if (r->file != NULL) {
		put(out, r->file);
		buf_printf(out, ":%u: ", r->line);
	}
	buf_puts(out, r->event);
	if (r->function_line != 0)
		buf_printf(out, ": the function of line %u", r->function_line);
	if (function_name(image, r->function, &symbol)) {
		buf_puts(out, ": ");
		put(out, symbol.name);
	}
	if (r->match != NULL)
		print_match(r->match, out);
	buf_putc(out, '\n');
}

void
check_print_text(const struct check_result *r, const struct module_host *host,
    struct buf *out)
{
	size_t n = host != NULL ? module_inspect_count(host) : 0;
	size_t options = host != NULL ? module_inspect_asked_count(host) : 0;
	struct image *image = n != 0 ? open_image(r) : NULL;

	put(out, r->path);
	if (r->module != NULL) {
		buf_puts(out, ": module '");
		put(out, r->module);
		buf_putc(out, '\'');
	}
	buf_puts(out, r->loaded ? "\n" : ": cannot be loaded\n");
	for (size_t i = 0; i < n; i++) {
		struct module_registration c;

		module_inspect(host, i, &c);
		print_registration(&c, image, out);
	}
	if (r->loaded && n == 0)
		buf_puts(out, "  registers no callbacks\n");
	for (size_t i = 0; i < options; i++) {
		buf_puts(out, i == 0 ? "  options: " : ", ");
		put(out, module_inspect_asked(host, i));
	}
	buf_puts(out, options != 0 ? "\n" : "");
	for (size_t i = 0; i < r->mistakes.count; i++) {
		put(out, r->mistakes.items[i].text);
		buf_putc(out, '\n');
	}
	image_unref(image);
}

/* ---- as JSON ---- */

static void
json_match(struct json_out *j, const pmodule_match_t *m)
{

	json_open(j, '{');
	json_key(j, "criteria");
	json_open(j, '[');
	for (size_t i = 0; i < module_inspect_criteria(m); i++) {
		struct module_criterion c;

		module_inspect_criterion(m, i, &c);
		json_open(j, '{');
		json_key(j, "kind");
		json_text(j, c.kind);
		json_key(j, "text");
		json_text(j, c.text);
		json_key(j, "substr");
		json_bool(j, c.substr);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_key(j, "fault");
	json_text_or_null(j, module_inspect_fault(m));
	json_close(j, '}');
}

static void
json_line(struct json_out *j, const char *key, unsigned line)
{

	json_key(j, key);
	if (line != 0)
		json_u64(j, line);
	else
		json_null(j);
}

static void
json_registration(struct json_out *j, const struct module_registration *r,
    struct image *image)
{
	struct image_symbol symbol;

	json_open(j, '{');
	json_key(j, "event");
	json_text(j, r->event);
	json_line(j, "line", r->line);
	json_line(j, "function_line", r->function_line);
	json_key(j, "function");
	json_text_or_null(
	    j, function_name(image, r->function, &symbol) ? symbol.name : NULL);
	json_key(j, "match");
	if (r->match != NULL)
		json_match(j, r->match);
	else
		json_null(j);
	json_close(j, '}');
}

static void
json_mistakes(struct json_out *j, const struct check_result *r)
{

	json_key(j, "mistakes");
	json_open(j, '[');
	for (size_t i = 0; i < r->mistakes.count; i++) {
		json_open(j, '{');
		json_line(j, "line", r->mistakes.items[i].line);
		json_key(j, "text");
		json_text(j, r->mistakes.items[i].text);
		json_close(j, '}');
	}
	json_close(j, ']');
}

void
check_print_json(const struct check_result *r, const struct module_host *host,
    struct buf *out)
{
	size_t n = host != NULL ? module_inspect_count(host) : 0;
	size_t options = host != NULL ? module_inspect_asked_count(host) : 0;
	struct image *image = n != 0 ? open_image(r) : NULL;
	struct json_out j = {.buf = out};

	json_open(&j, '{');
	json_key(&j, "file");
	json_text(&j, r->path);
	json_key(&j, "module");
	json_text_or_null(&j, r->module);
	json_key(&j, "loaded");
	json_bool(&j, r->loaded);
	json_key(&j, "callbacks");
	json_open(&j, '[');
	for (size_t i = 0; i < n; i++) {
		struct module_registration c;

		module_inspect(host, i, &c);
		json_registration(&j, &c, image);
	}
	json_close(&j, ']');
	json_key(&j, "options");
	json_open(&j, '[');
	for (size_t i = 0; i < options; i++)
		json_text(&j, module_inspect_asked(host, i));
	json_close(&j, ']');
	json_mistakes(&j, r);
	json_close(&j, '}');
	buf_putc(out, '\n');
	image_unref(image);
}
