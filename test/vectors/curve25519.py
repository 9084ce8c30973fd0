# Makes curve25519.json: hard cases for X25519 (RFC 7748) and strict Ed25519 (RFC 8032), by arithmetic on Python's integers
# in affine coordinates, which shares nothing with the code under test. Beside each stands what OpenSSL (python3-cryptography)
# and libsodium (python3-nacl) say; the arithmetic has to agree with OpenSSL on every X25519 result.
import hashlib
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from nacl import bindings, exceptions

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def le(value):
    return value.to_bytes(32, "little")


# ---- X25519 ----------------------------------------------------------------------------------------------------------


def x25519(scalar, point):
    k = int.from_bytes(scalar, "little") & ~7 & (2**255 - 1) | 2**254
    x1 = (int.from_bytes(point, "little") & (2**255 - 1)) % P
    x2, z2, x3, z3 = 1, 0, x1, 1
    for t in range(254, -1, -1):
        if k >> t & 1:
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        e = a * a - b * b
        x3, z3 = (d * a + c * b) ** 2 % P, x1 * (d * a - c * b) ** 2 % P
        x2, z2 = a * a * b * b % P, e * (a * a + 121665 * e) % P
        if k >> t & 1:
            x2, z2, x3, z3 = x3, z3, x2, z2
    return le(x2 * pow(z2, P - 2, P) % P)


def openssl_x25519(scalar, point):
    try:
        return X25519PrivateKey.from_private_bytes(scalar).exchange(X25519PublicKey.from_public_bytes(point))
    except ValueError:
        return bytes(32)


def exchanges():
    order8 = 325606250916557431795983626356110631294008115727848805560023387167927233504
    other8 = 39382357235489614581723060781553021112529911719440698176882885853963445705823
    seen = [hashlib.sha256(b"scalar %d" % i).digest() for i in range(3)]
    rows = []
    for what, u in (
        [(f"low order {name}", value) for name, value in
         (("0", 0), ("1", 1), ("-1", P - 1), ("order 8", order8), ("order 8, the other", other8))]
        + [(f"p + {i}", P + i) for i in range(19)]
        + [(f"u = {i}", i) for i in range(2, 12)]
        + [(f"p - {i}", P - i) for i in range(2, 6)]
    ):
        for top in (0, 2**255):
            rows.append((what + (", top bit" if top else ""), seen[len(rows) % 3], le(u + top)))
    for what, scalar in (("scalar of zeros", bytes(32)), ("scalar of ones", b"\xff" * 32), ("scalar of L", le(L)),
                         ("scalar of 8 L", le(8 * L % 2**256))):
        rows.append((what, scalar, le(9)))
    for what, scalar, point in rows:
        shared = x25519(scalar, point)
        assert shared == openssl_x25519(scalar, point), what
        yield {"what": what, "scalar": scalar.hex(), "point": point.hex(), "shared": shared.hex()}


# ---- Ed25519 ---------------------------------------------------------------------------------------------------------


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2 % P
    return ((x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P)


def multiply(n, a):
    r = (0, 1)
    for bit in bin(n)[2:]:
        r = add(r, r)
        if bit == "1":
            r = add(r, a)
    return r


def decode(y, odd):
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if x * x % P != xx:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != xx:
        return None
    return (x if x & 1 == odd else (P - x) % P, y)


def encode(a):
    return le(a[1] | (a[0] & 1) << 255)


B = decode(4 * pow(5, -1, P) % P, 0)
TORSION = next(t for t in (multiply(L, decode(y, 0)) for y in range(2, 99) if decode(y, 0)) if multiply(4, t) != (0, 1))
SMALL = [multiply(i, TORSION) for i in range(8)]


def challenge(r, key, message):
    return int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % L


def openssl_verify(key, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except (InvalidSignature, ValueError):
        return False


def libsodium_verify(key, message, signature):
    try:
        bindings.crypto_sign_open(signature + message, key)
        return True
    except (exceptions.BadSignatureError, ValueError):
        return False


def searched(r, key, wanted):
    """A message whose challenge is `wanted` modulo 8."""
    return next(m for m in (b"message %d" % i for i in range(1000)) if challenge(r, key, m) % 8 == wanted)


def signatures():
    a, nonce = 0x1234567 * 8**60 % L, 0x7654321 * 8**50 % L
    key, point = encode(multiply(a, B)), multiply(a, B)
    r = encode(multiply(nonce, B))
    message = b"message"
    s = (nonce + challenge(r, key, message) * a) % L
    yield "honest", key, message, r + le(s), True
    for times in range(1, 16):
        if s + times * L < 2**256:
            yield f"S + {times} L", key, message, r + le(s + times * L), False
    yield "S without its top bits' meaning: bit 255 set", key, message, r + le(s | 2**255), False
    yield "S = L", key, message, r + le(L), False
    yield "R with the other sign", key, message, le(int.from_bytes(r, "little") ^ 2**255) + le(s), False
    yield "key with the other sign", le(int.from_bytes(key, "little") ^ 2**255), message, r + le(s), False
    for i, t in enumerate(SMALL):
        k = encode(t)
        m = searched(encode((0, 1)), k, 0)
        yield f"key of small order ({i} T), R neutral, S = 0", k, m, encode((0, 1)) + le(0), False
    for what, k in (("neutral point as y = p + 1", le(P + 1)), ("neutral point with the sign of minus zero", le(1 | 2**255)),
                    ("order 2 with the sign of minus zero", le(P - 1 | 2**255)), ("order 4 as y = p", le(P))):
        m = searched(encode((0, 1)), k, 0)
        yield f"key: {what}, R neutral, S = 0", k, m, encode((0, 1)) + le(0), False
    for y in range(2, 19):
        yield f"key: y = p + {y}", le(P + y), message, r + le(s), False
    yield "key that is no point", le(next(y for y in range(2, 99) if decode(y, 0) is None)), message, r + le(s), False
    mixed = encode(add(point, TORSION))
    for wanted, valid in ((0, True), (3, False)):
        m = searched(r, mixed, wanted)
        made = (nonce + challenge(r, mixed, m) * a) % L
        yield f"key of mixed order, challenge {wanted} modulo 8", mixed, m, r + le(made), valid
    r8 = encode(add(multiply(nonce, B), TORSION))
    made = (nonce + challenge(r8, key, message) * a) % L
    yield "R of mixed order: holds with the cofactor only", key, message, r8 + le(made), False
    for i, t in enumerate(SMALL):
        k = encode(t)
        made = challenge(k, key, message) * a % L
        yield f"R of small order ({i} T)", key, message, k + le(made), i == 0
    for what, k in (("y = p + 1", le(P + 1)), ("sign of minus zero", le(1 | 2**255))):
        made = challenge(k, key, message) * a % L
        yield f"R neutral: {what}", key, message, k + le(made), False


def rows():
    for what, key, message, signature, valid in signatures():
        yield {"what": what, "key": key.hex(), "message": message.hex(), "signature": signature.hex(), "valid": valid,
               "openssl": openssl_verify(key, message, signature), "libsodium": libsodium_verify(key, message, signature)}


def lines(items):
    return ",\n".join("    " + json.dumps(item) for item in items)


print('{\n  "x25519": [\n%s\n  ],\n  "ed25519": [\n%s\n  ]\n}' % (lines(exchanges()), lines(rows())))
