// X25519 (RFC 7748) and strict Ed25519 verification (RFC 8032) for the device: portable C99, no memory but the stack.
//
// All buffers lie in RAM (on the ESP8266 bytes cannot be read one by one from flash) and may overlap.
#ifndef BROOME_CURVE25519_H
#define BROOME_CURVE25519_H

#include <stddef.h>
#include <stdint.h>

// Called at least every two million instructions, so that the caller can feed a watchdog; NULL where there is none.
typedef void (*Curve25519Tick)(void);

// The shared secret of `scalar` and the u-coordinate `point`; all zero for a point of low order: the caller checks.
//
// Takes the same steps whatever scalar and point are. The scalar is clamped, the point's top bit ignored, as RFC 7748
// section 5 says.
void x25519(uint8_t result[32], const uint8_t scalar[32], const uint8_t point[32], Curve25519Tick tick);

// 1 where `signature` signs `message` under `key`, else 0. Everything here is public: the time depends on it.
//
// Refused beyond RFC 8032 section 5.1.7's equation [S]B = R + [h]A (without the cofactor):
// - S of the group's order or more, under which each signature had a twin;
// - a key that is not the one encoding of a point of the curve (y of p or more, "minus zero");
// - a key of small order, under which one signature would do for many messages;
// - R in another encoding than the one of [S]B - [h]A: bytes are compared. R of small order is no case of its own: who
//   makes one for a good key knows the secret.
int ed25519Verify(const uint8_t key[32], const uint8_t* message, size_t size, const uint8_t signature[64],
                  Curve25519Tick tick);

#endif
