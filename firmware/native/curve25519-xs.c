// curve25519.h for JavaScript: host functions, for boards (`native("xs_x25519")`) as for the virtual ESP's engine.
#include <string.h>

#include "xsmc.h"

#include "curve25519-flash.h"
#include "curve25519.h"

#if ON_ESP8266
extern void system_soft_wdt_feed(void);  // user_interface.h of the vendor's SDK: about 3 s until the soft watchdog resets
#define FEED system_soft_wdt_feed
#else
#define FEED NULL
#endif

#define KEY_SIZE 32
#define SIGNATURE_SIZE 64

#define BASE_POINT 9  // RFC 7748 section 4.1

// XS looks itself only where it was built with bounds checks.
IN_FLASH static void requireArguments(xsMachine* the, int count) {
  if (xsmcArgc < count) xsTypeError("curve25519: argument missing");
}

// Throws RangeError where the bytes are not 32.
IN_FLASH static const uint8_t* keyOf(xsMachine* the, xsSlot* slot) {
  void* bytes;
  xsUnsignedValue size;
  xsmcGetBufferReadable(*slot, &bytes, &size);
  if (size != KEY_SIZE) xsRangeError("curve25519: 32 bytes are needed");
  return bytes;
}

// x25519(secret, point): 32 bytes each; the result is an ArrayBuffer. Without a point the base point is taken.
IN_FLASH void xs_x25519(xsMachine* the) {
  uint8_t result[KEY_SIZE];
  requireArguments(the, 1);
  const uint8_t* secret = keyOf(the, &xsArg(0));
  if (xsmcArgc > 1) {
    x25519(result, secret, keyOf(the, &xsArg(1)), FEED);
  } else {
    memset(result, 0, sizeof result);
    result[0] = BASE_POINT;
    x25519(result, secret, result, FEED);
  }
  xsmcSetArrayBuffer(xsResult, result, KEY_SIZE);
}

// ed25519Verify(key, message, signature): a boolean; false for keys and signatures of another length.
IN_FLASH void xs_ed25519_verify(xsMachine* the) {
  void *key, *message, *signature;
  xsUnsignedValue keySize, size, signatureSize;
  requireArguments(the, 3);
  xsmcGetBufferReadable(xsArg(0), &key, &keySize);
  xsmcGetBufferReadable(xsArg(1), &message, &size);
  xsmcGetBufferReadable(xsArg(2), &signature, &signatureSize);
  int good = keySize == KEY_SIZE && signatureSize == SIGNATURE_SIZE &&
             ed25519Verify(key, message, size, signature, FEED);
  xsmcSetBoolean(xsResult, good);
}
