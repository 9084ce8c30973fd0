// What the host asks of its operating system (os.h), of POSIX: files are mapped, the bus is descriptor 3 in and 4 out.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "os.h"

#define FD_IN 3
#define FD_OUT 4
// Part of the C stack that is kept for signal handlers and system calls.
#define STACK_MARGIN (128 * 1024)
#define STACK_DEFAULT (8 * 1024 * 1024)
#define SIGNAL_STACK_SIZE 65536

// ---- memory ------------------------------------------------------------------------------------------------------

static struct {
  void* address;
  size_t size;
} gMap;

const uint8_t* osMap(const char* file, unsigned long long offset, unsigned long long size, char* error, size_t errorSize) {
  struct stat status;
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  if ((fd < 0) || fstat(fd, &status)) {
    snprintf(error, errorSize, "%s: %s", file, strerror(errno));
    return NULL;
  }
  if (!size || (offset > (unsigned long long)status.st_size) || (size > (unsigned long long)status.st_size - offset)) {
    snprintf(error, errorSize, "offset %llu, size %llu are outside of the flash", offset, size);
    return NULL;
  }
  size_t slack = (size_t)(offset % (unsigned long long)sysconf(_SC_PAGESIZE));
  gMap.size = (size_t)size + slack;
  gMap.address = mmap(NULL, gMap.size, PROT_READ, MAP_SHARED, fd, (off_t)(offset - slack));
  close(fd);
  if (gMap.address != MAP_FAILED) return (const uint8_t*)gMap.address + slack;
  gMap.address = NULL;
  snprintf(error, errorSize, "%s: %s", file, strerror(errno));
  return NULL;
}

void osUnmap(void) {
  if (gMap.address) munmap(gMap.address, gMap.size);
}

void* osReserve(size_t size) {
  void* memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return (memory == MAP_FAILED) ? NULL : memory;
}

bool osProtect(void* memory, size_t size, bool writable) {
  return !mprotect(memory, size, writable ? PROT_READ | PROT_WRITE : PROT_READ);
}

void osRelease(void* memory, size_t size) { munmap(memory, size); }

// ---- bus ---------------------------------------------------------------------------------------------------------

static void waitFor(int fd, short events) {
  struct pollfd wait = {.fd = fd, .events = events};
  poll(&wait, 1, -1);
}

bool osWrite(const uint8_t* bytes, size_t size) {
  while (size) {
    ssize_t count = write(FD_OUT, bytes, size);
    if (count > 0) {
      bytes += count;
      size -= (size_t)count;
    } else if ((count < 0) && (errno == EAGAIN)) {
      waitFor(FD_OUT, POLLOUT);
    } else if ((count < 0) && (errno != EINTR)) {
      return false;
    }
  }
  return true;
}

bool osRead(uint8_t* bytes, size_t size) {
  while (size) {
    ssize_t count = read(FD_IN, bytes, size);
    if (count > 0) {
      bytes += count;
      size -= (size_t)count;
    } else if (count == 0) {
      return false;
    } else if (errno == EAGAIN) {
      waitFor(FD_IN, POLLIN);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

bool osHungUp(void) {
  struct pollfd wait = {.fd = FD_IN, .events = POLLIN};
  return (poll(&wait, 1, 0) == 1) && (wait.revents & (POLLHUP | POLLERR | POLLNVAL));
}

// ---- process -----------------------------------------------------------------------------------------------------

char* osStackLimit(char* base) {
  struct rlimit limit;
  size_t size = STACK_DEFAULT;
  if (!getrlimit(RLIMIT_STACK, &limit) && (limit.rlim_cur != RLIM_INFINITY) && (limit.rlim_cur < size))
    size = (size_t)limit.rlim_cur;
  return base - size + STACK_MARGIN;
}

void osFollowParent(void) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
}

static void (*gOnFault)(int number, const void* address);

static void onSignal(int number, siginfo_t* info, void* context) {
  (void)context;
  gOnFault(number, ((number == SIGSEGV) || (number == SIGBUS)) ? info->si_addr : NULL);
}

void osCatchFaults(void (*onFault)(int number, const void* address)) {
  static uint8_t stack[SIGNAL_STACK_SIZE];
  gOnFault = onFault;
  stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&alternative, NULL);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = onSignal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
  static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaction(numbers[i], &action, NULL);
  signal(SIGPIPE, SIG_IGN);
}
