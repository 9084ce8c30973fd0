// The system of a lin build: the process stands for the chip. A restart is the same program again, in the same process.
// BROOME_MAC sets the address ("02:00:00:00:00:07"); else it is the first network card's, marked as locally administered.

#include "xsAll.h"
#include "xs.h"
#include "xsmc.h"
#include "mc.xs.h"

#include <fcntl.h>
#include <glib.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_ARGUMENTS 16
#define CAUSE "BROOME_RESET_CAUSE"

static int64_t nowMs(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void xs_broome_uptime(xsMachine *the)
{
	static int64_t started;
	if (!started) started = nowMs();
	xsmcSetNumber(xsResult, (xsNumberValue)(nowMs() - started));
}

void xs_broome_random(xsMachine *the)
{
	xsIntegerValue length = xsmcToInteger(xsArg(0)), done = 0;
	if (length < 0 || length > 4096) xsRangeError("random: %d bytes", (int)length);
	xsmcSetArrayBuffer(xsResult, NULL, length);
	while (done < length) {
		ssize_t count = getrandom((uint8_t *)xsmcToArrayBuffer(xsResult) + done, length - done, 0);
		if (count > 0) done += (xsIntegerValue)count;
	}
}

static int givenMac(uint8_t *mac)
{
	unsigned int byte[6];
	const char *text = getenv("BROOME_MAC");
	int i;
	if (!text || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", byte, byte + 1, byte + 2, byte + 3, byte + 4, byte + 5) != 6)
		return 0;
	for (i = 0; i < 6; i++) mac[i] = (uint8_t)byte[i];
	return 1;
}

static void cardMac(uint8_t *mac)
{
	struct ifaddrs *list = NULL, *entry;
	if (getifaddrs(&list) != 0) return;
	for (entry = list; entry; entry = entry->ifa_next) {
		const struct sockaddr_ll *card = (const struct sockaddr_ll *)entry->ifa_addr;
		if (!card || card->sll_family != AF_PACKET || card->sll_halen != 6 || (entry->ifa_flags & IFF_LOOPBACK)) continue;
		memcpy(mac, card->sll_addr, 6);
		mac[0] = (uint8_t)((mac[0] | 2) & ~1);
		break;
	}
	freeifaddrs(list);
}

void xs_broome_mac(xsMachine *the)
{
	uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
	if (!givenMac(mac)) cardMac(mac);
	xsmcSetArrayBuffer(xsResult, mac, 6);
}

// Why this run began, as the run before it left word: "software", or undefined after a start by hand.
void xs_broome_reset_cause(xsMachine *the)
{
	const char *cause = getenv(CAUSE);
	if (cause && cause[0]) xsmcSetString(xsResult, (char *)cause);
}

static void closeOnExec(void)
{
	int fd;
	for (fd = 3; fd < 256; fd++) {
		int flags = fcntl(fd, F_GETFD);
		if (flags >= 0) fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
	}
}

void xs_broome_restart(xsMachine *the)
{
	static char line[4096];
	char *arguments[MAX_ARGUMENTS + 1];
	int count = 0, fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	char *next = line;

	if (length <= 0) xsUnknownError("restart: the command line cannot be read");
	while (next < line + length && count < MAX_ARGUMENTS) {
		arguments[count++] = next;
		next += strlen(next) + 1;
	}
	arguments[count] = NULL;
	setenv(CAUSE, "software", 1);
	closeOnExec();
	execv("/proc/self/exe", arguments);
	xsUnknownError("restart: the program cannot be started again");
}

// [free, peak, limit] in bytes. Slots have 32 bytes here and 16 on a chip, and there is no arena: no figures for a board.
void xs_broome_heap(xsMachine *the)
{
	xsIntegerValue used = (xsIntegerValue)(the->currentHeapCount * sizeof(txSlot) + the->currentChunksSize);
	xsIntegerValue limit = (xsIntegerValue)(the->maximumHeapCount * sizeof(txSlot) + the->maximumChunksSize);
	xsIntegerValue peak = (xsIntegerValue)(the->peakHeapCount * sizeof(txSlot) + the->peakChunksSize);

	xsmcVars(1);
	xsResult = xsNewArray(0);
	xsmcSetInteger(xsVar(0), limit - used);
	xsmcSetIndex(xsResult, 0, xsVar(0));
	xsmcSetInteger(xsVar(0), peak > used ? peak : used);
	xsmcSetIndex(xsResult, 1, xsVar(0));
	xsmcSetInteger(xsVar(0), limit);
	xsmcSetIndex(xsResult, 2, xsVar(0));
}

static int ipv4(const struct ifaddrs *entry)
{
	return entry->ifa_addr && entry->ifa_addr->sa_family == AF_INET && (entry->ifa_flags & IFF_UP);
}

// [address, mask] of the host, loopback where there is nothing else; undefined where not even that is up.
void xs_broome_host_address(xsMachine *the)
{
	struct ifaddrs *list = NULL, *entry, *chosen = NULL;
	char address[16], mask[16];

	if (getifaddrs(&list) != 0) return;
	for (entry = list; entry; entry = entry->ifa_next)
		if (ipv4(entry) && (!chosen || (chosen->ifa_flags & IFF_LOOPBACK))) chosen = entry;
	if (!chosen) {
		freeifaddrs(list);
		return;
	}
	inet_ntop(AF_INET, &((struct sockaddr_in *)chosen->ifa_addr)->sin_addr, address, sizeof(address));
	inet_ntop(AF_INET, &((struct sockaddr_in *)chosen->ifa_netmask)->sin_addr, mask, sizeof(mask));
	freeifaddrs(list);
	xsmcVars(1);
	xsResult = xsNewArray(0);
	xsmcSetString(xsVar(0), address);
	xsmcSetIndex(xsResult, 0, xsVar(0));
	xsmcSetString(xsVar(0), mask);
	xsmcSetIndex(xsResult, 1, xsVar(0));
}
