// The flash of a lin build: strict NOR in a file. Erased bytes are FF, a write can only clear bits, an erase is a whole sector.
// BROOME_FLASH names the file (default: broome-lin.flash in the working directory); it is made, erased, where it is not there.

#include "xsmc.h"
#include "mc.xs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLASH_SIZE 0x10000 // bytes: the `broome` partition of the boards' layout
#define SECTOR_SIZE 4096

static uint8_t *mapped;

static const char *flashPath(void)
{
	const char *path = getenv("BROOME_FLASH");
	return path && path[0] ? path : "broome-lin.flash";
}

static uint8_t *openFlash(xsMachine *the)
{
	struct stat status;
	int fd, fresh;

	if (mapped) return mapped;
	fd = open(flashPath(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) xsUnknownError("flash: %s: %s", (char *)flashPath(), strerror(errno));
	fresh = fstat(fd, &status) == 0 && status.st_size == 0;
	if (!fresh && status.st_size != FLASH_SIZE) {
		close(fd);
		xsUnknownError("flash: %s has %d bytes, not %d", (char *)flashPath(), (int)status.st_size, FLASH_SIZE);
	}
	if (fresh && ftruncate(fd, FLASH_SIZE) != 0) {
		close(fd);
		xsUnknownError("flash: %s: %s", (char *)flashPath(), strerror(errno));
	}
	mapped = mmap(NULL, FLASH_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (mapped == MAP_FAILED) {
		mapped = NULL;
		xsUnknownError("flash: %s: %s", (char *)flashPath(), strerror(errno));
	}
	if (fresh) memset(mapped, 0xFF, FLASH_SIZE);
	return mapped;
}

static void checkRange(xsMachine *the, xsIntegerValue offset, xsIntegerValue length)
{
	if (offset < 0 || length < 0 || offset > FLASH_SIZE || length > FLASH_SIZE - offset)
		xsRangeError("flash: %d bytes at %d of %d", (int)length, (int)offset, FLASH_SIZE);
}

void xs_broome_flash_size(xsMachine *the)
{
	openFlash(the);
	xsmcSetInteger(xsResult, FLASH_SIZE);
}

void xs_broome_flash_read(xsMachine *the)
{
	uint8_t *flash = openFlash(the);
	xsIntegerValue offset = xsmcToInteger(xsArg(0)), length = xsmcToInteger(xsArg(1));
	checkRange(the, offset, length);
	xsmcSetArrayBuffer(xsResult, flash + offset, length);
}

void xs_broome_flash_erase(xsMachine *the)
{
	uint8_t *flash = openFlash(the);
	xsIntegerValue sector = xsmcToInteger(xsArg(0));
	if (sector < 0 || sector >= FLASH_SIZE / SECTOR_SIZE) xsRangeError("flash: sector %d", (int)sector);
	memset(flash + sector * SECTOR_SIZE, 0xFF, SECTOR_SIZE);
}

// The number of bytes that could not be written because a bit would have to be set: nothing is written then.
void xs_broome_flash_write(xsMachine *the)
{
	uint8_t *flash = openFlash(the), *bytes;
	xsIntegerValue offset = xsmcToInteger(xsArg(0));
	xsUnsignedValue length, i;
	int refused = 0;

	xsmcGetBufferReadable(xsArg(1), (void **)&bytes, &length);
	if (length > FLASH_SIZE) length = FLASH_SIZE + 1;
	checkRange(the, offset, (xsIntegerValue)length);
	for (i = 0; i < length; i++)
		if ((flash[offset + i] & bytes[i]) != bytes[i]) refused++;
	if (!refused) memcpy(flash + offset, bytes, length);
	xsmcSetInteger(xsResult, refused);
}
