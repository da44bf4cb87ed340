/* SPDX-License-Identifier: MIT */
/* A library that is linked with; with -DPLUGIN one that is loaded. */
#ifdef PLUGIN
static __thread int tls_plugin = 61;
__thread int tls_plugin_extern = 62;
int plugin_global = 63;
void plug(void);

void
plug(void)
{
	tls_plugin++;
	tls_plugin_extern += 2;
	plugin_global++;
}
#else
struct handle {
	int magic;
	char name[8];
};
static struct handle the_handle = {4711, "handle"};
struct handle *handle = &the_handle;
int in_library = 31;
__thread int tls_library = 41;
static __thread int tls_library_static = 51;
int library(void);

int
library(void)
{
	return ++tls_library_static;
}
#endif
