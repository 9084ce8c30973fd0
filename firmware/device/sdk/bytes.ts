// Buffers of the SDK's modules: most of its C takes and gives whole ArrayBuffers.

/** The buffer of exactly these bytes; copied where they are a part of a larger one. */
export function bufferOf(bytes: Uint8Array): ArrayBuffer {
  const { byteOffset, byteLength } = bytes;
  const buffer = bytes.buffer as ArrayBuffer;
  if (byteOffset === 0 && byteLength === buffer.byteLength) return buffer;
  return buffer.slice(byteOffset, byteOffset + byteLength);
}
