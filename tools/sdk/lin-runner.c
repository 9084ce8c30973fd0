// Runs a `-p lin` build without a window: what the SDK's simulator does with mc.so, less the screen. One argument: mc.so.
// Compiled against the SDK's screen.h, which says what the library wants from its host.

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "screen.h"

#define EXIT_ABORTED 70 // the machine gave up: stack, memory, an unhandled exception

static guint ticking;

static void onAbort(txScreen *screen, int status)
{
	(void)screen;
	fprintf(stderr, "broome-lin: XS aborted, status %d\n", status);
	exit(EXIT_ABORTED);
}

static gboolean onTick(gpointer data)
{
	txScreen *screen = data;
	if (screen->idle) screen->idle(screen);
	return G_SOURCE_CONTINUE;
}

static void onStart(txScreen *screen, double interval)
{
	if (!ticking) ticking = g_timeout_add(interval < 1 ? 1 : (guint)interval, onTick, screen);
}

static void onStop(txScreen *screen)
{
	(void)screen;
	if (ticking) g_source_remove(ticking);
	ticking = 0;
}

static void onChange(txScreen *screen)
{
	(void)screen; // there is nothing to draw on
}

static void onPost(txScreen *screen, char *message, int size)
{
	(void)screen, (void)message, (void)size; // no one listens
}

int main(int count, char **arguments)
{
	txScreen *screen = calloc(1, sizeof(txScreen));
	void *library;
	txScreenLaunchProc launch;

	if (count != 2) {
		fprintf(stderr, "usage: broome-lin MC.SO\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	library = dlopen(arguments[1], RTLD_NOW);
	launch = library ? (txScreenLaunchProc)dlsym(library, "fxScreenLaunch") : NULL;
	if (!launch || !screen) {
		fprintf(stderr, "broome-lin: %s\n", dlerror());
		return 1;
	}
	screen->abort = onAbort;
	screen->bufferChanged = onChange;
	screen->formatChanged = onChange;
	screen->post = onPost;
	screen->start = onStart;
	screen->stop = onStop;
	mxCreateMutex(&screen->workersMutex);
	launch(screen);
	if (!screen->machine) {
		fprintf(stderr, "broome-lin: the machine could not be made\n");
		return EXIT_ABORTED;
	}
	g_main_loop_run(g_main_loop_new(NULL, FALSE));
	return 0;
}
