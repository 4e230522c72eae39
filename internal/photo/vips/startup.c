// Starting libvips, and asking it what it can do.
#include "startup.h"

#include <vips/vips.h>

static void drop_log(const char *domain, GLogLevelFlags level, const char *message, void *data)
{
}

// What the environment tells libvips and GLib would change what they do: print
// on stdout, take a warning for a fatal error, measure themselves, write files.
static void forget_environment(void)
{
	char **names = g_listenv();
	for (char **name = names; *name; name++)
		if (g_str_has_prefix(*name, "VIPS_") || g_str_has_prefix(*name, "IM_") || g_str_has_prefix(*name, "G_"))
			g_unsetenv(*name);
	g_strfreev(names);
	// G_DEBUG was read when GLib was loaded.
	g_log_set_always_fatal(G_LOG_FATAL_MASK);
}

int pd_startup(int untrusted)
{
	forget_environment();
	if (vips_init("photodesc"))
		return -1;
	vips_concurrency_set(1);      // the caller runs several photos instead
	vips_cache_set_max(0);        // no photo is asked for twice
	vips_cache_set_max_mem(0);
	vips_cache_set_max_files(0);
	vips_block_untrusted_set(!untrusted);
	// Warnings about odd files would go to the terminal; what fails is told by its error.
	g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_DEBUG,
		drop_log, NULL);
	vips_error_clear();
	return 0;
}

int pd_can_load(const char *loader)
{
	GType type = vips_type_find("VipsForeignLoad", loader);
	if (!type)
		return PD_LOAD_MISSING;
	VipsOperationClass *class = VIPS_OPERATION_CLASS(g_type_class_ref(type));
	int blocked = (class->flags & VIPS_OPERATION_BLOCKED) != 0;
	g_type_class_unref(class);
	return blocked ? PD_LOAD_BLOCKED : PD_LOAD_YES;
}
