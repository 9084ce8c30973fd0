// The console of a lin build: standard input and output stand for the UART.

#include "xsmc.h"
#include "mc.xs.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <unistd.h>

#define PIECE 128 // bytes handed over at a time, as the chips' receive FIFO

static struct {
	xsMachine *the;
	xsSlot listener;
	guint source;
} console;

static gboolean onInput(gint fd, GIOCondition condition, gpointer data)
{
	xsMachine *machine = console.the;
	uint8_t bytes[PIECE];
	ssize_t count = read(fd, bytes, sizeof(bytes));

	(void)condition;
	(void)data;
	if (count < 0 && (errno == EINTR || errno == EAGAIN)) return G_SOURCE_CONTINUE;
	if (count <= 0) { // nobody will type any more: the board runs on
		console.source = 0;
		return G_SOURCE_REMOVE;
	}
	xsBeginHost(machine);
	xsmcSetArrayBuffer(xsResult, bytes, (xsIntegerValue)count);
	xsCallFunction1(console.listener, xsGlobal, xsResult);
	xsEndHost(machine);
	return G_SOURCE_CONTINUE;
}

void xs_broome_console_listen(xsMachine *the)
{
	if (console.the) xsForget(console.listener);
	console.the = the;
	console.listener = xsArg(0);
	xsRemember(console.listener);
	if (!console.source) console.source = g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP, onInput, NULL);
}

void xs_broome_console_write(xsMachine *the)
{
	uint8_t *bytes;
	xsUnsignedValue length;

	xsmcGetBufferReadable(xsArg(0), (void **)&bytes, &length);
	while (length > 0) {
		ssize_t count = write(STDOUT_FILENO, bytes, length);
		if (count < 0 && errno == EAGAIN) {
			struct pollfd ready = { STDOUT_FILENO, POLLOUT, 0 };
			if (poll(&ready, 1, 1000) <= 0) return; // nobody reads: lost, as on a UART
			continue;
		}
		if (count < 0 && errno != EINTR) return; // nobody is there: lost, as on a UART
		if (count > 0) bytes += count, length -= count;
	}
}
