// Which line of a module an instruction comes from: a table beside the code, so that the code is that of a release.
//
// Table (atom LINE): pairs of variable-length numbers (7 bits a byte, low first), how far the code offset and the line
// move on; the line's step is folded (0, -1, 1, -2, ... as 0, 1, 2, 3, ...).
#include "host.h"

// ---- making ------------------------------------------------------------------------------------------------------

#define NESTING_LIMIT 64

typedef struct {
  const uint8_t *start, *p, *end;
} Walk;

// Length and kind of the instruction at w->p; kinds that differ in the width of their operand count as one.
static bool step(const Walk* w, size_t* length, const char** name, size_t* nameLength) {
  if (!codeLength(w->p, (size_t)(w->end - w->p), length)) return false;
  *name = gxCodeNames[*w->p];
  *nameLength = strlen(*name);
  size_t n = *nameLength;
  if ((n > 2) && ((*name)[n - 2] == '_') && strchr("124", (*name)[n - 1])) *nameLength -= 2;
  return true;
}

static bool isAnnotation(uint8_t code) {
  return (code == XS_CODE_LINE) || (code == XS_CODE_FILE) || (code == XS_CODE_PROFILE);
}

// End of the function body that an instruction of kind CODE introduces, or NULL.
static const uint8_t* bodyEnd(const uint8_t* p) {
  int32_t offset4;
  int16_t offset2;
  switch (*p) {
    case XS_CODE_CODE_1: return p + 2 + (int8_t)p[1];
    case XS_CODE_CODE_2: memcpy(&offset2, p + 1, 2); return p + 3 + offset2;
    case XS_CODE_CODE_4: memcpy(&offset4, p + 1, 4); return p + 5 + offset4;
    default: return NULL;
  }
}

static size_t putNumber(uint8_t* p, uint32_t value) {
  size_t count = 0;
  for (; value > 127; value >>= 7) p[count++] = (uint8_t)(value | 128);
  p[count++] = (uint8_t)value;
  return count;
}

uint8_t* linesMake(const txScript* plain, const txScript* annotated, const uint8_t* map, size_t mapSize, size_t* size) {
  Walk a = {(const uint8_t*)plain->codeBuffer, (const uint8_t*)plain->codeBuffer,
            (const uint8_t*)plain->codeBuffer + plain->codeSize};
  Walk b = {(const uint8_t*)annotated->codeBuffer, (const uint8_t*)annotated->codeBuffer,
            (const uint8_t*)annotated->codeBuffer + annotated->codeSize};
  struct {
    const uint8_t* end;
    uint32_t line;
  } nest[NESTING_LIMIT];
  size_t depth = 0, lengthA, lengthB, nameA, nameB, lastOffset = 0;
  uint32_t line = 0, lastLine = 0;
  const char *a_, *b_;
  uint8_t* table = malloc((size_t)plain->codeSize * 2 + 16);
  *size = 0;
  if (!table) return NULL;
  while (b.p < b.end) {
    while (depth && (b.p >= nest[depth - 1].end)) line = nest[--depth].line;
    if (!step(&b, &lengthB, &b_, &nameB)) goto bail;
    if (isAnnotation(*b.p)) {
      // Line 0 is a mark for XS 17's debugger behind the parameters of a function.
      uint32_t stated = (*b.p == XS_CODE_LINE) ? b.p[1] | ((uint32_t)b.p[2] << 8) : 0;
      if (stated) line = stated;
      b.p += lengthB;
      continue;
    }
    if ((a.p >= a.end) || !step(&a, &lengthA, &a_, &nameA)) goto bail;
    if ((nameA != nameB) || memcmp(a_, b_, nameA)) goto bail;
    uint32_t shown = line;
    if (mapSize && line && ((size_t)line * 4 <= mapSize)) memcpy(&shown, map + 4 * (size_t)(line - 1), 4);
    if (shown != lastLine) {
      int32_t delta = (int32_t)(shown - lastLine);
      size_t offset = (size_t)(a.p - a.start);
      *size += putNumber(table + *size, (uint32_t)(offset - lastOffset));
      *size += putNumber(table + *size, (delta < 0) ? ((uint32_t)(-(delta + 1)) << 1) | 1 : (uint32_t)delta << 1);
      lastOffset = offset;
      lastLine = shown;
    }
    const uint8_t* end = bodyEnd(b.p);
    if (end && (depth < NESTING_LIMIT)) {
      nest[depth].end = end;
      nest[depth++].line = line;
    }
    a.p += lengthA;
    b.p += lengthB;
  }
  if (a.p == a.end) return table;
bail:
  *size = 0;  // the two compilations differ: better no lines than wrong ones
  return table;
}

// ---- using -------------------------------------------------------------------------------------------------------

static bool takeNumber(const uint8_t** p, const uint8_t* end, uint32_t* value) {
  *value = 0;
  for (int shift = 0; (*p < end) && (shift < 32); shift += 7) {
    uint8_t byte = *(*p)++;
    *value |= (uint32_t)(byte & 127) << shift;
    if (byte < 128) return true;
  }
  return false;
}

bool linesFind(const void* address, const char** module, int* line) {
  const uint8_t *table, *end;
  size_t target;
  if (!archivePlace(&gArchive, address, module, &target, &table, &end)) return false;
  uint32_t offsetStep, lineStep, current = 0;
  size_t offset = 0;
  *line = 0;
  while (takeNumber(&table, end, &offsetStep) && takeNumber(&table, end, &lineStep)) {
    offset += offsetStep;
    if (offset > target) break;
    current += (lineStep & 1) ? ~(lineStep >> 1) : lineStep >> 1;
    *line = (int)current;
  }
  return true;
}

// Where the machine is: the code of the innermost function that is bytecode. `frame` limits the search to it and its
// callers.
static const uint8_t* codeOf(txMachine* the, const txSlot* frame) {
  const uint8_t* code = (const uint8_t*)the->code;
  for (const txSlot* f = the->frame; f && (f != frame); f = f->next) code = (const uint8_t*)f->value.frame.code;
  return code;
}

bool linesWhere(txMachine* the, char* buffer, size_t size) {
  for (const txSlot* frame = the ? the->frame : NULL; frame; frame = frame->next) {
    const uint8_t* code = codeOf(the, frame);
    const char* module;
    int line;
    if ((frame->flag & XS_C_FLAG) || !code || !linesFind(code - 1, &module, &line)) continue;
    if (line) snprintf(buffer, size, "%s:%d", module, line);
    else snprintf(buffer, size, "%s", module);
    return true;
  }
  return false;
}

#define TRACE_CALLS 32

// Who called whom, innermost first, with the slots of the stack that each call takes: for a stack overflow, where the
// innermost function alone does not say which of its callers went too deep.
void linesTrace(txMachine* the, char* buffer, size_t size) {
  size_t used = 0;
  int calls = 0;
  const txSlot* below = the->stack;
  buffer[0] = 0;
  for (const txSlot* frame = the->frame; frame && (used < size) && (calls < TRACE_CALLS); frame = frame->next) {
    const uint8_t* code = codeOf(the, frame);
    const char* module;
    int line;
    if ((frame->flag & XS_C_FLAG) || !code || !linesFind(code - 1, &module, &line)) continue;
    int slots = (int)(frame - below);
    int length = snprintf(buffer + used, size - used, "%s%s:%d (%d)", used ? " < " : "", module, line, slots);
    if (length < 0) return;
    used += (size_t)length;
    calls++;
    below = frame;
  }
}

// What XS keeps in an error for its stack: a slot a function with name, module (ID) and line. XS's own version knows
// modules and lines only in debug builds; this one takes as many slots, so the memory figures stay.
void hostCaptureErrorStack(txMachine* the, txSlot* internal, txSlot* frame) {
  txSlot* slot = internal->value.reference = fxNewSlot(the);
  slot->kind = XS_INSTANCE_KIND;
  slot->value.instance.garbage = NULL;
  slot->value.instance.prototype = NULL;
  for (; frame->next; frame = frame->next) {
    txSlot* function = frame + FRAME_FUNCTION;
    if ((function->kind != XS_REFERENCE_KIND) || !mxIsFunction(function->value.reference)) continue;
    txSlot* name = mxBehaviorGetProperty(the, function->value.reference, mxID(_name), 0, XS_OWN);
    slot = slot->next = fxNewSlot(the);
    slot->flag = XS_GET_ONLY;
    slot->kind = XS_KEY_X_KIND;
    slot->value.key.string = NULL;
    slot->value.key.sum = 0;
    if (name && ((name->kind == XS_STRING_KIND) || (name->kind == XS_STRING_X_KIND))) {
      slot->kind = (name->kind == XS_STRING_KIND) ? XS_KEY_KIND : XS_KEY_X_KIND;
      slot->value.key.string = name->value.string;
    } else {
      txID id = mxFunctionInstanceCode(function->value.reference)->ID;
      txSlot* key = (id != XS_NO_ID) ? fxGetKey(the, id) : NULL;
      if (key && ((key->kind == XS_KEY_KIND) || (key->kind == XS_KEY_X_KIND))) {
        slot->kind = key->kind;
        slot->value.key.string = key->value.key.string;
      }
    }
    const uint8_t* code = codeOf(the, frame);
    const char* module;
    int line;
    if (!(frame->flag & XS_C_FLAG) && code && linesFind(code - 1, &module, &line)) {
      slot->ID = fxFindName(the, (txString)module);
      slot->value.key.sum = (txU4)line;
    }
  }
}
