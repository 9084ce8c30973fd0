// Values of the bus: tag, then for numbers 4 or 8 bytes, for strings and bytes u32 length and bytes, for arrays u32
// count and values; all little-endian. Strings are UTF-8 with U+0000 as C0 80, as in XS.
#include "bus.h"

#define DEPTH_LIMIT 4

static void tooLong(txMachine* the) { mxRangeError("bus: over %d bytes", BUS_FRAME_LIMIT); }

// Bytes of an ArrayBuffer or of a view on one. False if it is neither.
static bool bytesOf(txMachine* the, txSlot* instance, const uint8_t** bytes, size_t* size) {
  txSlot *slot = instance->next, *view = NULL;
  if (!slot || !(slot->flag & XS_INTERNAL_FLAG)) return false;
  if (slot->kind == XS_TYPED_ARRAY_KIND) view = slot->next;
  if (slot->kind == XS_DATA_VIEW_KIND) view = slot;
  if (view) {
    txSlot* buffer = view->next->value.reference;
    slot = buffer->next;
  }
  if (slot->kind != XS_ARRAY_BUFFER_KIND) return false;
  size_t length = (size_t)slot->next->value.bufferInfo.length, offset = 0;
  if (view) {
    offset = (size_t)view->value.dataView.offset;
    if (offset > length) mxTypeError("bus: view out of bounds");
    size_t viewSize = (view->value.dataView.size < 0) ? length - offset : (size_t)view->value.dataView.size;
    if (viewSize > length - offset) mxTypeError("bus: view out of bounds");
    length = viewSize;
  }
  *bytes = (const uint8_t*)slot->value.arrayBuffer.address + offset;
  *size = length;
  return true;
}

void putValue(txMachine* the, txSlot* slot, int depth) {
  if (!frameRoom(9)) tooLong(the);
  switch (slot->kind) {
    case XS_UNDEFINED_KIND: put8(TAG_UNDEFINED); return;
    case XS_NULL_KIND: put8(TAG_NULL); return;
    case XS_BOOLEAN_KIND: put8(slot->value.boolean ? TAG_TRUE : TAG_FALSE); return;
    case XS_INTEGER_KIND:
      put8(TAG_INTEGER);
      put32((uint32_t)slot->value.integer);
      return;
    case XS_NUMBER_KIND: putNumber(slot->value.number); return;
    case XS_STRING_KIND:
    case XS_STRING_X_KIND: {
      size_t size = strlen(slot->value.string);
      if (!frameRoom(5 + size)) tooLong(the);
      putSized(TAG_STRING, slot->value.string, size);
      return;
    }
    case XS_REFERENCE_KIND: {
      txSlot* instance = slot->value.reference;
      const uint8_t* bytes;
      size_t size;
      if (bytesOf(the, instance, &bytes, &size)) {
        if (!frameRoom(5 + size)) tooLong(the);
        putSized(TAG_BYTES, bytes, size);
        return;
      }
      txSlot* array = instance->next;
      if (array && (array->flag & XS_INTERNAL_FLAG) && (array->kind == XS_ARRAY_KIND) && (depth < DEPTH_LIMIT)) {
        txIndex count = array->value.array.length;
        if (!frameRoom(5 + (size_t)count)) tooLong(the);
        put8(TAG_ARRAY);
        put32(count);
        for (txIndex i = 0; i < count; i++) {
          txSlot* item = fxGetIndexProperty(the, array, i);
          if (item) putValue(the, item, depth + 1);
          else if (!frameRoom(1)) tooLong(the);
          else put8(TAG_UNDEFINED);
        }
        return;
      }
      break;
    }
    default: break;
  }
  mxTypeError("bus: only primitive values, bytes and arrays of them");
}

void pushValue(txMachine* the, Reader* reader, int depth) {
  size_t size;
  const uint8_t* bytes;
  if (depth > DEPTH_LIMIT) malformed();
  switch (takeTag(reader)) {
    case TAG_UNDEFINED: mxPushUndefined(); return;
    case TAG_NULL: mxPushNull(); return;
    case TAG_FALSE: mxPushBoolean(0); return;
    case TAG_TRUE: mxPushBoolean(1); return;
    case TAG_INTEGER: mxPushInteger((txInteger)take32(reader)); return;
    case TAG_NUMBER: {
      double number = takeDouble(reader);
      mxPushNumber(number);
      return;
    }
    case TAG_STRING:
      bytes = takeSized(reader, &size);
      mxPushUndefined();
      fxStringBuffer(the, the->stack, (txString)bytes, (txSize)size);
      return;
    case TAG_BYTES:
      bytes = takeSized(reader, &size);
      mxPushUndefined();
      fxArrayBuffer(the, the->stack, (void*)bytes, (txInteger)size, -1);
      return;
    case TAG_ARRAY: {
      uint32_t count = take32(reader);
      if (count > (size_t)(reader->end - reader->p)) malformed();
      fxNewArray(the, 0);
      txSlot* array = the->stack;
      for (uint32_t i = 0; i < count; i++) {
        pushValue(the, reader, depth + 1);
        mxPushSlot(array);
        mxSetIndex(i);
        mxPop();
      }
      return;
    }
    default: malformed();
  }
}
