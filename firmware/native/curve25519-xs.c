// curve25519 as `device/crypto` calls it: the doors between XS and the portable C beside this file.

#include "xsmc.h"
#include "mc.xs.h"

#include "curve25519.h"

#if defined(__ets__) && !ESP32
#include "user_interface.h"
// The soft watchdog of the ESP8266 bites after about 3 seconds; a scalar multiplication takes one or two.
static void feed(void)
{
	system_soft_wdt_feed();
}
#define TICK feed
#else
#define TICK NULL
#endif

static const uint8_t *bytesOf(xsMachine *the, xsSlot *slot, xsUnsignedValue length, xsUnsignedValue *actual)
{
	void *bytes;
	xsUnsignedValue size;

	xsmcGetBufferReadable(*slot, &bytes, &size);
	if (actual) *actual = size;
	else if (size != length) xsRangeError("curve25519: %d bytes, not %d", (int)size, (int)length);
	return bytes;
}

// (scalar, point): X25519. Without a point: the public key of the scalar.
void xs_x25519(xsMachine *the)
{
	uint8_t result[32], scalar[32], point[32] = { 9 };

	c_memcpy(scalar, bytesOf(the, &xsArg(0), 32, NULL), 32);
	if (xsmcArgc > 1) c_memcpy(point, bytesOf(the, &xsArg(1), 32, NULL), 32);
	x25519(result, scalar, point, TICK);
	c_memset(scalar, 0, sizeof(scalar));
	xsmcSetArrayBuffer(xsResult, result, sizeof(result));
}

// (key, message, signature): true where it verifies.
void xs_ed25519_verify(xsMachine *the)
{
	xsUnsignedValue size;
	const uint8_t *key = bytesOf(the, &xsArg(0), 32, NULL);
	const uint8_t *message = bytesOf(the, &xsArg(1), 0, &size);
	const uint8_t *signature = bytesOf(the, &xsArg(2), 64, NULL);

	xsmcSetBoolean(xsResult, ed25519Verify(key, message, size, signature, TICK));
}
