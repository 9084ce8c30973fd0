// `engine link`: modules and resources on stdin, a linked archive on stdout.
//
// Request: records of {kind u8, then for M: name, path, source, line map; for R: name, data; for P: name}, where each
// field is u32 little-endian length and bytes; E ends it. The symbols of all modules get the ids that they will have in the
// root at boot, because the root's own symbols are always the same (their hash goes into the archive) and the
// archive's follow in order.
#include "host.h"

#define REQUEST_LIMIT (64u * 1024 * 1024)
// What the name table of the machine that links is like does not matter to the ids.
#define LINK_MODULO 1993

typedef struct {
  char* data;
  size_t size, capacity;
} Buffer;

typedef struct Record Record;
struct Record {
  Record* next;
  char kind;
  char *name, *path, *data, *map;
  size_t dataSize, mapSize;
};

static void fail(const char* message) {
  fprintf(stderr, "link: %s\n", message);
  exit(3);
}

static void append(Buffer* buffer, const void* data, size_t size) {
  if (buffer->size + size > buffer->capacity) {
    buffer->capacity = 2 * (buffer->size + size);
    buffer->data = realloc(buffer->data, buffer->capacity);
    if (!buffer->data) fail("out of memory");
  }
  if (size) memcpy(buffer->data + buffer->size, data, size);
  buffer->size += size;
}

static void append16(Buffer* buffer, unsigned value) {
  uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
  append(buffer, bytes, 2);
}

static size_t beginAtom(Buffer* buffer, const char* type) {
  size_t start = buffer->size;
  append(buffer, "\0\0\0\0", 4);
  append(buffer, type, 4);
  return start;
}

static void endAtom(Buffer* buffer, size_t start) {
  size_t size = buffer->size - start;
  for (int i = 0; i < 4; i++) buffer->data[start + (size_t)i] = (char)(uint8_t)(size >> (24 - 8 * i));
}

static size_t readLength(Buffer* input, size_t* offset) {
  if (input->size - *offset < 4) fail("request is cut");
  const uint8_t* p = (const uint8_t*)input->data + *offset;
  size_t length = p[0] | ((size_t)p[1] << 8) | ((size_t)p[2] << 16) | ((size_t)p[3] << 24);
  *offset += 4;
  if (length > input->size - *offset) fail("request is cut");
  return length;
}

// A field with a zero behind it.
static char* readField(Buffer* input, size_t* offset, size_t* size) {
  size_t length = readLength(input, offset);
  char* field = malloc(length + 1);
  if (!field) fail("out of memory");
  memcpy(field, input->data + *offset, length);
  field[length] = 0;
  *offset += length;
  if (size) *size = length;
  else if (strlen(field) != length || !length) fail("a name is empty or holds a zero");
  return field;
}

static Record* readRequest(void) {
  Buffer input = {NULL, 0, 0};
  char block[65536];
  size_t count, offset = 0;
  while ((count = fread(block, 1, sizeof block, stdin)) > 0) {
    append(&input, block, count);
    if (input.size > REQUEST_LIMIT) fail("request is too long");
  }
  Record *first = NULL, **last = &first;
  while (offset < input.size) {
    char kind = input.data[offset++];
    if (kind == 'E') break;
    if (!strchr("MRP", kind)) fail("unknown record");
    Record* record = calloc(1, sizeof(Record));
    if (!record) fail("out of memory");
    record->kind = kind;
    record->name = readField(&input, &offset, NULL);
    if (kind == 'M') record->path = readField(&input, &offset, NULL);
    if (kind != 'P') record->data = readField(&input, &offset, &record->dataSize);
    if (kind == 'M') record->map = readField(&input, &offset, &record->mapSize);
    *last = record;
    last = &record->next;
  }
  free(input.data);
  return first;
}

static void freeRecords(Record* record) {
  while (record) {
    Record* next = record->next;
    free(record->name);
    free(record->path);
    free(record->data);
    free(record->map);
    free(record);
    record = next;
  }
}

// Interns the script's symbols and writes the final ids into its code.
static void relocate(txMachine* root, txScript* script, const char* path) {
  const txByte* p = script->symbolsBuffer;
  txID count;
  memcpy(&count, p, sizeof count);
  p += sizeof count;
  txID* ids = calloc(count ? count : 1, sizeof(txID));
  if (!ids) fail("out of memory");
  ids[0] = XS_NO_ID;
  for (txID i = 1; i < count; i++) {
    ids[i] = fxNewNameC(root, (txString)p);
    p += strlen((const char*)p) + 1;
  }
  const char* error = codeWalk((uint8_t*)script->codeBuffer, (size_t)script->codeSize, ids, count);
  free(ids);
  if (error) {
    fprintf(stderr, "%s:1: %s\n", path, error);
    exit(3);
  }
  if (script->hostsBuffer) {
    fprintf(stderr, "%s:1: host functions (@) are not supported on the virtual board\n", path);
    exit(3);
  }
}

// The line of the source where an import names `specifier`.
static int specifierLine(const Source* source, const char* specifier) {
  size_t length = strlen(specifier);
  int line = 1;
  for (size_t i = 0; i + length + 1 < source->size; i++) {
    const char* p = source->text + i;
    if (*p == '\n') line++;
    if (((*p == '"') || (*p == '\'')) && !memcmp(p + 1, specifier, length) && (p[length + 1] == *p))
      return sourceLine(source, line);
  }
  return 1;
}

// Every module that `record` imports has to be there: on a device it would only be missed at run time.
static bool checkImports(const Record* records, const Record* record, const Source* source, const txScript* script) {
  const uint8_t *p = (const uint8_t*)script->codeBuffer, *end = p + script->codeSize;
  const char* specifier;
  bool ok = true;
  while (codeNextSpecifier(&p, end, &specifier)) {
    char name[MODULE_NAME_LIMIT];
    bool found = false;
    if (moduleResolve(record->name, specifier, name))
      for (const Record* other = records; other && !found; other = other->next)
        found = (other->kind == 'M') && !strcmp(other->name, name);
    if (found) continue;
    fprintf(stderr, "%s:%d: module-missing: \"%s\"\n", source->path, specifierLine(source, specifier), specifier);
    ok = false;
  }
  return ok;
}

static bool appendModule(Buffer* code, txMachine* root, const Record* records, const Record* record) {
  Source source = {record->path, record->data, record->dataSize, (const uint8_t*)record->map, record->mapSize};
  txScript* script = compileModule(root, &source, false);
  if (!script) return false;
  txScript* annotated = compileModule(root, &source, true);
  if (!annotated) return false;
  size_t tableSize;
  uint8_t* table = linesMake(script, annotated, source.map, source.mapSize, &tableSize);
  relocate(root, script, record->path);
  bool ok = checkImports(records, record, &source, script);
  size_t path = beginAtom(code, "PATH");
  append(code, record->name, strlen(record->name) + 1);
  endAtom(code, path);
  size_t body = beginAtom(code, "CODE");
  append(code, script->codeBuffer, (size_t)script->codeSize);
  endAtom(code, body);
  size_t lines = beginAtom(code, "LINE");
  append(code, table, tableSize);
  endAtom(code, lines);
  free(table);
  fxDeleteScript(annotated);
  fxDeleteScript(script);
  return ok;
}

static void appendNames(Buffer* archive, txMachine* root, txID base) {
  size_t atom = beginAtom(archive, "SYMB");
  append16(archive, (unsigned)(root->keyIndex - base));
  for (txID id = base; id < root->keyIndex; id++) {
    const char* name = fxGetKeyName(root, id);
    append(archive, name, strlen(name) + 1);
  }
  endAtom(archive, atom);
}

static void appendPreloads(Buffer* archive, const Record* records) {
  unsigned count = 0;
  for (const Record* record = records; record; record = record->next) count += record->kind == 'P';
  size_t atom = beginAtom(archive, "PREL");
  append16(archive, count);
  for (const Record* record = records; record; record = record->next)
    if (record->kind == 'P') append(archive, record->name, strlen(record->name) + 1);
  endAtom(archive, atom);
}

static void appendResources(Buffer* archive, const Record* records) {
  size_t atom = beginAtom(archive, "RSRC");
  for (const Record* record = records; record; record = record->next) {
    if (record->kind != 'R') continue;
    size_t path = beginAtom(archive, "PATH");
    append(archive, record->name, strlen(record->name) + 1);
    while (archive->size & 3) append(archive, "", 1);
    endAtom(archive, path);
    size_t data = beginAtom(archive, "DATA");
    append(archive, record->data, record->dataSize);
    endAtom(archive, data);
  }
  endAtom(archive, atom);
}

static void checkNames(const Record* records) {
  for (const Record* a = records; a; a = a->next) {
    bool found = a->kind != 'P';
    for (const Record* b = records; b; b = b->next) {
      if ((a != b) && (a->kind == b->kind) && !strcmp(a->name, b->name)) {
        fprintf(stderr, "link: %s is there twice\n", a->name);
        exit(3);
      }
      if ((a->kind == 'P') && (b->kind == 'M') && !strcmp(a->name, b->name)) found = true;
    }
    if (!found) {
      fprintf(stderr, "link: preload %s is no module\n", a->name);
      exit(3);
    }
  }
}

int linkMain(void) {
  Record* records = readRequest();
  checkNames(records);
  txMachine* root = rootCreate(LINK_MODULO, LINK_MODULO);
  uint8_t hash[ROOT_HASH_SIZE];
  rootHash(root, hash);
  txID base = (txID)root->keyIndex;
  Buffer code = {NULL, 0, 0};
  bool ok = true;
  size_t atom = beginAtom(&code, "MODS");
  // Module names are symbols too, so that importing costs the arena nothing.
  for (Record* record = records; record; record = record->next)
    if (record->kind == 'M') fxNewNameC(root, record->name);
  for (Record* record = records; record; record = record->next) {
    if (record->kind != 'M') continue;
    if (!appendModule(&code, root, records, record)) ok = false;
  }
  endAtom(&code, atom);
  Buffer archive = {NULL, 0, 0};
  if (ok) {
    uint8_t version[4] = {XS_MAJOR_VERSION, XS_MINOR_VERSION, XS_PATCH_VERSION, ARCHIVE_FORMAT};
    size_t top = beginAtom(&archive, "BXSA");
    atom = beginAtom(&archive, "VERS");
    append(&archive, version, sizeof version);
    endAtom(&archive, atom);
    atom = beginAtom(&archive, "ROOT");
    append(&archive, hash, sizeof hash);
    endAtom(&archive, atom);
    appendNames(&archive, root, base);
    appendPreloads(&archive, records);
    append(&archive, code.data, code.size);
    appendResources(&archive, records);
    endAtom(&archive, top);
    ok = (fwrite(archive.data, 1, archive.size, stdout) == archive.size) && !fflush(stdout);
  }
  free(archive.data);
  free(code.data);
  freeRecords(records);
  rootDelete(root);
  return ok ? 0 : 3;
}
