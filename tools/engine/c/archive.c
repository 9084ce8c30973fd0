// The archive: atoms as in XS's own archives (big-endian size with header, four letters), read-only and checked.
//
// BXSA { VERS(major, minor, patch, format) ROOT(16) SYMB(count, names) PREL(count, names)
//        MODS { PATH CODE LINE }* RSRC { PATH DATA }* }
// Counts are u16 little-endian, names end in a zero. A PATH is padded with zeros so that its DATA is 4-aligned.
#include "host.h"

// The contents of an atom.
typedef struct {
  const uint8_t* data;
  const uint8_t* end;
} Span;

static uint32_t read32(const uint8_t* p) {
  return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

static unsigned read16(const uint8_t* p) { return p[0] | ((unsigned)p[1] << 8); }

// Takes the atom of the type at *p and steps over it.
static bool takeAtom(const uint8_t** p, const uint8_t* end, const char* type, Span* atom) {
  if ((size_t)(end - *p) < 8) return false;
  size_t size = read32(*p);
  if ((size < 8) || (size > (size_t)(end - *p)) || memcmp(*p + 4, type, 4)) return false;
  atom->data = *p + 8;
  atom->end = *p + size;
  *p = atom->end;
  return true;
}

static bool takeNames(const Span* atom, const uint8_t** names, unsigned* count) {
  if (atom->end - atom->data < 2) return false;
  *count = read16(atom->data);
  *names = atom->data + 2;
  const uint8_t* p = *names;
  for (unsigned i = 0; i < *count; i++) {
    const uint8_t* zero = memchr(p, 0, (size_t)(atom->end - p));
    if (!zero || (zero == p)) return false;
    p = zero + 1;
  }
  return p == atom->end;
}

// A path: at least one character, then zeros only.
static bool checkPath(const Span* atom) {
  const uint8_t* zero = memchr(atom->data, 0, (size_t)(atom->end - atom->data));
  if (!zero || (zero == atom->data)) return false;
  while (zero < atom->end)
    if (*zero++) return false;
  return true;
}

typedef struct {
  Span path, code, line;
} Module;

static bool takeModule(const uint8_t** p, const uint8_t* end, Module* module) {
  return (*p < end) && takeAtom(p, end, "PATH", &module->path) && takeAtom(p, end, "CODE", &module->code) &&
         takeAtom(p, end, "LINE", &module->line);
}

typedef struct {
  Span path, data;
} Resource;

static bool takeResource(const uint8_t** p, const uint8_t* end, Resource* resource) {
  return (*p < end) && takeAtom(p, end, "PATH", &resource->path) && takeAtom(p, end, "DATA", &resource->data);
}

static bool checkModules(const uint8_t* p, const uint8_t* end) {
  Module module;
  while (takeModule(&p, end, &module))
    if (!checkPath(&module.path) || (module.code.data == module.code.end)) return false;
  return p == end;
}

static bool checkResources(const uint8_t* p, const uint8_t* end, const uint8_t* base) {
  Resource resource;
  while (takeResource(&p, end, &resource))
    if (!checkPath(&resource.path) || ((resource.data.data - base) & 3)) return false;
  return p == end;
}

const char* archiveOpen(Archive* archive, const uint8_t* bytes, size_t size) {
  const uint8_t* p = bytes;
  Span top, atom;
  if (!takeAtom(&p, bytes + size, "BXSA", &top)) return "no archive";
  archive->bytes = bytes;
  archive->size = (size_t)(top.end - bytes);
  p = top.data;
  if (!takeAtom(&p, top.end, "VERS", &atom) || (atom.end - atom.data != 4)) return "bad atom VERS";
  if ((atom.data[0] != XS_MAJOR_VERSION) || (atom.data[1] != XS_MINOR_VERSION) || (atom.data[3] != ARCHIVE_FORMAT))
    return "other version";
  if (!takeAtom(&p, top.end, "ROOT", &atom) || (atom.end - atom.data != ROOT_HASH_SIZE)) return "bad atom ROOT";
  archive->rootHash = atom.data;
  if (!takeAtom(&p, top.end, "SYMB", &atom)) return "bad atom SYMB";
  if (!takeNames(&atom, &archive->symbols, &archive->symbolCount)) return "bad names in SYMB";
  if (!takeAtom(&p, top.end, "PREL", &atom)) return "bad atom PREL";
  if (!takeNames(&atom, &archive->preloads, &archive->preloadCount)) return "bad names in PREL";
  if (!takeAtom(&p, top.end, "MODS", &atom)) return "bad atom MODS";
  if (!checkModules(atom.data, atom.end)) return "bad module in MODS";
  archive->modules = atom.data;
  archive->modulesEnd = atom.end;
  if (!takeAtom(&p, top.end, "RSRC", &atom)) return "bad atom RSRC";
  if (!checkResources(atom.data, atom.end, bytes)) return "bad resource in RSRC";
  archive->resources = atom.data;
  archive->resourcesEnd = atom.end;
  return (p == top.end) ? NULL : "atoms after RSRC";
}

const uint8_t* archiveCode(const Archive* archive, const char* name, size_t* size, const char** path) {
  const uint8_t* p = archive->modules;
  Module module;
  while (takeModule(&p, archive->modulesEnd, &module)) {
    if (strcmp((const char*)module.path.data, name)) continue;
    *size = (size_t)(module.code.end - module.code.data);
    if (path) *path = (const char*)module.path.data;
    return module.code.data;
  }
  return NULL;
}

bool archivePlace(const Archive* archive, const void* address, const char** path, size_t* offset,
                  const uint8_t** lines, const uint8_t** linesEnd) {
  const uint8_t *p = archive->modules, *code = address;
  Module module;
  if (!p || (code < p) || (code >= archive->modulesEnd)) return false;
  while (takeModule(&p, archive->modulesEnd, &module)) {
    if ((code < module.code.data) || (code >= module.code.end)) continue;
    *path = (const char*)module.path.data;
    *offset = (size_t)(code - module.code.data);
    *lines = module.line.data;
    *linesEnd = module.line.end;
    return true;
  }
  return false;
}

const uint8_t* archiveData(const Archive* archive, const char* name, size_t* size) {
  const uint8_t* p = archive->resources;
  Resource resource;
  while (takeResource(&p, archive->resourcesEnd, &resource)) {
    if (strcmp((const char*)resource.path.data, name)) continue;
    *size = (size_t)(resource.data.end - resource.data.data);
    return resource.data.data;
  }
  return NULL;
}

// The opcode that reads the same constant in place instead of copying it to memory.
static uint8_t inPlace(uint8_t code) {
  switch (code) {
    case XS_CODE_CODE_1: return XS_CODE_CODE_ARCHIVE_1;
    case XS_CODE_CODE_2: return XS_CODE_CODE_ARCHIVE_2;
    case XS_CODE_CODE_4: return XS_CODE_CODE_ARCHIVE_4;
    case XS_CODE_STRING_1: return XS_CODE_STRING_ARCHIVE_1;
    case XS_CODE_STRING_2: return XS_CODE_STRING_ARCHIVE_2;
    default: return code;
  }
}

// One instruction: its length, or 0 with *error set. gxCodeSizes: positive = fixed length, 0 = an id follows,
// -1 and -2 = a length of that many bytes follows.
static size_t instruction(const uint8_t* p, size_t left, const char** error) {
  if ((*p == XS_NO_CODE) || (*p >= XS_CODE_COUNT)) return *error = "bad opcode", 0;
  int size = gxCodeSizes[*p];
  size_t length = 0;
  if (size > 0) length = (size_t)size;
  else if (size == 0) length = 1 + sizeof(txID);
  else if ((size == -1) && (left >= 2)) length = 2 + (size_t)p[1];
  else if ((size == -2) && (left >= 3)) length = 3 + (size_t)read16(p + 1);
  else if (size == -4) return *error = "constant over 64 KB", 0;
  if (!length || (length > left)) return *error = "code is cut", 0;
  return length;
}

bool codeLength(const uint8_t* p, size_t left, size_t* length) {
  const char* error = NULL;
  *length = instruction(p, left, &error);
  return !error;
}

static bool isString(uint8_t code) {
  return (code == XS_CODE_STRING_ARCHIVE_1) || (code == XS_CODE_STRING_ARCHIVE_2);
}

const char* codeWalk(uint8_t* code, size_t size, const txID* ids, unsigned idLimit) {
  uint8_t *p = code, *end = code + size;
  while (p < end) {
    const char* error = NULL;
    size_t length = instruction(p, (size_t)(end - p), &error);
    if (error) return error;
    if (!gxCodeSizes[*p]) {
      txID id;
      memcpy(&id, p + 1, sizeof id);
      if (id >= idLimit) return "symbol out of range";
      memcpy(p + 1, ids + id, sizeof id);
    }
    *p = inPlace(*p);
    p += length;
  }
  return NULL;
}

static const char* checkCode(const uint8_t* p, const uint8_t* end, unsigned idLimit) {
  while (p < end) {
    const char* error = NULL;
    size_t length = instruction(p, (size_t)(end - p), &error);
    if (error) return error;
    if (inPlace(*p) != *p) return "constant is not in place";
    if (isString(*p) && ((p[length - 1] != 0) || (length < 3))) return "string without end";
    if (!gxCodeSizes[*p]) {
      txID id;
      memcpy(&id, p + 1, sizeof id);
      if (id >= idLimit) return "symbol out of range";
    }
    p += length;
  }
  return NULL;
}

const char* archiveCheckCode(const Archive* archive, unsigned idLimit) {
  const uint8_t* p = archive->modules;
  Module module;
  while (takeModule(&p, archive->modulesEnd, &module)) {
    const char* error = checkCode(module.code.data, module.code.end, idLimit);
    if (error) return error;
  }
  return NULL;
}

// Function bodies are part of the code that makes the function, so what is outside of them is the module's own: the
// only strings there are the specifiers of its imports.
bool codeNextSpecifier(const uint8_t** p, const uint8_t* end, const char** specifier) {
  while (*p < end) {
    const uint8_t* code = *p;
    size_t length;
    if (!codeLength(code, (size_t)(end - code), &length)) return false;
    *p += length;
    int32_t body = 0;
    int16_t body2;
    if (*code == XS_CODE_CODE_ARCHIVE_1) body = (int8_t)code[1];
    if (*code == XS_CODE_CODE_ARCHIVE_2) memcpy(&body2, code + 1, 2), body = body2;
    if (*code == XS_CODE_CODE_ARCHIVE_4) memcpy(&body, code + 1, 4);
    if ((body < 0) || (body > end - *p)) return false;
    *p += body;
    if (!isString(*code)) continue;
    *specifier = (const char*)code + ((*code == XS_CODE_STRING_ARCHIVE_1) ? 2 : 3);
    return true;
  }
  return false;
}
