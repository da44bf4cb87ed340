/* SPDX-License-Identifier: MIT */
/*
 * coresnap: the kernel's helper for cores, and the administrator's view of the
 * spool.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "coresnap/command.h"

static const struct command commands[] = {
    {"list", "", "what is in the spool", true, false, false, command_list},
    {"info", "OBJECT...", "everything that is known of it", true, false, false,
	command_info},
    {"retry", "OBJECT...", "work on it now, from the beginning", true, false,
	false, command_retry},
    {"rm", "OBJECT...", "remove it", true, false, false, command_rm},
    {"purge", "", "remove what is older than purge.age", true, false, false,
	command_purge},
    {"status", "", "the daemon, the spool, kernel.core_pattern", true, false,
	false, command_status},
    {"install", "", "let the kernel give us the cores", true, true, false,
	command_install},
    {"uninstall", "", "give kernel.core_pattern back", true, true, false,
	command_uninstall},
    {"debug", "OBJECT", "stacks, or a debugger on the core", true, false, false,
	command_debug},
    {"import", "FILE|DIRECTORY...", "take cores that lie in files", true, true,
	false, command_import},
    {"archive", "", "what kernel.core_pattern starts", true, true, true,
	command_archive},
};

struct line {
	struct command_context context;
	const struct command *command;
	const char *config;
	bool debug, help, version;
};

#define FLAG(NAME, MEMBER)                                                     \
	static bool NAME(void *ctx, const char *value, bt_error_t *e)          \
	{                                                                      \
		struct line *l = ctx;                                          \
                                                                               \
		(void)value;                                                   \
		(void)e;                                                       \
		l->MEMBER = true;                                              \
		return true;                                                   \
	}

#define TEXT(NAME, MEMBER)                                                     \
	static bool NAME(void *ctx, const char *value, bt_error_t *e)          \
	{                                                                      \
		struct line *l = ctx;                                          \
                                                                               \
		l->MEMBER = value;                                             \
		return *value != '\0' ||                                       \
		    bt_fail(e, BT_E_USAGE, "an option has an empty value");    \
	}

FLAG(on_json, context.json)
FLAG(on_all, context.all)
FLAG(on_force, context.force)
FLAG(on_socket, context.socket)
FLAG(on_debug, debug)
FLAG(on_help, help)
FLAG(on_version, version)
TEXT(on_config, config)
TEXT(on_age, context.age)
TEXT(on_debugger, context.debugger)
TEXT(on_sysctl, context.sysctl)

static const struct option_row rows[] = {
    {'c', "config", "FILE", "read this configuration", on_config},
    {0, "json", NULL, "list, info, status: as JSON", on_json},
    {0, "age", "TIME", "purge: what is older than this", on_age},
    {0, "all", NULL, "purge: whatever its age", on_all},
    {0, "socket", NULL, "install: the socket instead of the helper", on_socket},
    {0, "force", NULL,
	"install: replace another program's core_pattern;\n"
	"retry: even an executable of our own",
	on_force},
    {0, "debugger", "PROGRAM", "debug: run this, as in PROGRAM EXE CORE",
	on_debugger},
    {0, "sysctl", "DIR", "where the kernel's settings are (/proc/sys/kernel)",
	on_sysctl},
    {'d', "debug", NULL, "log to standard error instead of syslog", on_debug},
    {'h', "help", NULL, "show this text", on_help},
    {0, "version", NULL, "show the version", on_version},
    {0, NULL, NULL, NULL, NULL},
};

static bool
on_operand(void *ctx, const char *value, bt_error_t *e)
{
	struct line *l = ctx;
	struct command_context *c = &l->context;
	char **operands;

	if (l->command != NULL) {
		operands = realloc(c->operands,
		    ((size_t)c->n_operands + 1) * sizeof(*operands));
		if (operands == NULL)
			return bt_fail(e, BT_E_NOMEM, "out of memory");
		c->operands = operands;
		operands[c->n_operands++] = (char *)(uintptr_t)value;
		return true;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (strcmp(commands[i].name, value) == 0)
			l->command = &commands[i];
	return l->command != NULL ||
	    bt_fail(
		e, BT_E_USAGE, "there is no command '%s'; see --help", value);
}

static int
show_help(void)
{
	struct buf out;
	int status;

	buf_init(&out, 65536);
	buf_puts(&out,
	    "Usage: coresnap [OPTION]... COMMAND [OPERAND]...\n"
	    "\n"
	    "Cores of this machine, on their way to snapshots.\n"
	    "\n"
	    "Commands:\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (commands[i].hidden == false)
			buf_printf(&out, "  %-9s %-17s %s\n", commands[i].name,
			    commands[i].operands, commands[i].help);
	buf_puts(&out,
	    "\nAn OBJECT is STAGE/PREFIX or PREFIX, as list shows it.\n\n"
	    "Options:\n");
	options_help(rows, &out);
	status = command_print(&out);
	buf_deinit(&out);
	return status;
}

/* The kernel opens nothing but standard input. What is opened next must not
 * become standard error. */
static void
fill_descriptors(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			_exit(COMMAND_FAILED);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
}

static int
refuse(const bt_error_t *e)
{
	(void)command_fail(e);
	return COMMAND_USAGE;
}

static bool
check(const struct line *l, bt_error_t *e)
{
	bool takes;

	if (l->command == NULL)
		return bt_fail(e, BT_E_USAGE, "no command given; see --help");
	takes = l->command->operands[0] != '\0' || l->command->hidden;
	if (takes == false && l->context.n_operands != 0)
		return bt_fail(
		    e, BT_E_USAGE, "%s takes no operand", l->command->name);
	if (takes && l->context.n_operands == 0)
		return bt_fail(e, BT_E_USAGE, "%s needs an operand: %s",
		    l->command->name, l->command->operands);
	if (l->command->run == command_debug && l->context.n_operands != 1)
		return bt_fail(e, BT_E_USAGE, "debug takes one object");
	return true;
}

static int
run(struct line *l)
{
	struct command_context *c = &l->context;
	bt_error_t e;
	int status;

	log_open(&c->log, "coresnap", l->debug);
	c->config_given = l->config != NULL;
	c->config_path = l->config != NULL ? l->config : config_default_path();
	if (config_load(&c->config, c->config_path, &e) == false) {
		/* Nobody reads the helper's standard error. */
		if (l->command->hidden)
			log_error(&c->log, &e);
		return refuse(&e);
	}
	/* A machine on which nothing has crashed yet has no spool to look at.
	 */
	if (spool_open(&c->spool, c->config.archive,
		l->command->create || geteuid() == 0, &e) == false) {
		if (l->command->hidden)
			log_error(&c->log, &e);
		return command_fail(&e);
	}
	status = l->command->run(c);
	spool_close(&c->spool);
	config_deinit(&c->config);
	free(c->operands);
	return status;
}

int
main(int argc, char **argv)
{
	static struct line l = {.context = {.sysctl = "/proc/sys/kernel"}};
	struct options_table table = {rows, on_operand, &l};
	bt_error_t e;

	fill_descriptors();
	if (options_parse(&table, argc, argv, &e) == false)
		return refuse(&e);
	if (l.help)
		return show_help();
	if (l.version)
		return printf("coresnap (Inquest) %s\n", INQUEST_VERSION) < 0 ||
			fflush(stdout) != 0
		    ? COMMAND_FAILED
		    : COMMAND_DONE;
	if (check(&l, &e) == false)
		return refuse(&e);
	return run(&l);
}
