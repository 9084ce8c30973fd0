// Names on a lin build: GLib's resolver, IPv4 alone. (The SDK's own takes the first address, which may be IPv6, and then gives up.)

#include "xsmc.h"
#include "mc.xs.h"

#include <gio/gio.h>

typedef struct {
	xsMachine *the;
	xsSlot done;
} Lookup;

static void answer(Lookup *lookup, const char *address)
{
	xsMachine *machine = lookup->the;
	xsBeginHost(machine);
	if (address) xsmcSetString(xsResult, (char *)address);
	xsForget(lookup->done);
	xsCallFunction1(lookup->done, xsGlobal, xsResult);
	xsEndHost(machine);
	g_free(lookup);
}

static void onResolved(GObject *resolver, GAsyncResult *result, gpointer data)
{
	GList *found = g_resolver_lookup_by_name_with_flags_finish(G_RESOLVER(resolver), result, NULL);
	gchar *address = found ? g_inet_address_to_string(G_INET_ADDRESS(found->data)) : NULL;

	answer(data, address);
	g_free(address);
	if (found) g_resolver_free_addresses(found);
}

void xs_broome_resolve(xsMachine *the)
{
	GResolver *resolver = g_resolver_get_default();
	Lookup *lookup = g_new0(Lookup, 1);

	lookup->the = the;
	lookup->done = xsArg(1);
	xsRemember(lookup->done);
	g_resolver_lookup_by_name_with_flags_async(
		resolver, xsmcToString(xsArg(0)), G_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY, NULL, onResolved, lookup);
	g_object_unref(resolver);
}
