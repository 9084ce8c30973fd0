// A pseudo-terminal for the virtual board's serial port, because Node cannot open one (pty(7)).
//
// Standard output: first the path of the slave and a newline, then what the client wrote. Standard input: what the
// client shall read. Descriptor 3: lines "open", "close", "baud N". Ends when standard input ends. While no client has
// the slave open, what comes in is lost, as on a serial line.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#ifdef __linux__
// The kernel's structure knows any rate as a number; <termios.h> knows only the named ones.
#include <asm/termbits.h>
typedef struct termios2 Line;
#else
#include <termios.h>
typedef struct termios Line;
#endif

#define POLL_MS 20
#define BUFFER_SIZE 16384
#define FD_EVENTS 3

static int gMaster;

static bool getLine(int fd, Line* line) {
#ifdef __linux__
  return !ioctl(fd, TCGETS2, line);
#else
  return !tcgetattr(fd, line);
#endif
}

static unsigned baudOf(const Line* line) {
#ifdef __linux__
  return line->c_ospeed;
#else
  return (unsigned)cfgetospeed(line);
#endif
}

// Raw: no echo, no signals, no translation.
static bool setRaw(int fd) {
  Line line;
  if (!getLine(fd, &line)) return false;
  line.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  line.c_oflag &= ~(tcflag_t)OPOST;
  line.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  line.c_cflag = (line.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
#ifdef __linux__
  return !ioctl(fd, TCSETS2, &line);
#else
  return !tcsetattr(fd, TCSANOW, &line);
#endif
}

static void fail(const char* what) {
  fprintf(stderr, "pty: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void writeAll(int fd, const char* bytes, size_t size) {
  while (size) {
    ssize_t count = write(fd, bytes, size);
    if (count > 0) {
      bytes += count;
      size -= (size_t)count;
    } else if ((count < 0) && (errno == EAGAIN)) {
      struct pollfd wait = {.fd = fd, .events = POLLOUT};
      poll(&wait, 1, -1);
    } else if ((count < 0) && (errno != EINTR)) {
      exit(0);  // the board has gone
    }
  }
}

static void report(const char* text) { writeAll(FD_EVENTS, text, strlen(text)); }

static void reportBaud(void) {
  static unsigned last;
  Line line;
  char text[32];
  if (!getLine(gMaster, &line) || (baudOf(&line) == last)) return;
  last = baudOf(&line);
  snprintf(text, sizeof text, "baud %u\n", last);
  report(text);
}

static void reportOpen(bool open) {
  static bool last;
  if (open == last) return;
  last = open;
  report(open ? "open\n" : "close\n");
}

// The slave's bytes out; false when nobody has it open.
static bool relayFromClient(void) {
  char buffer[BUFFER_SIZE];
  for (;;) {
    ssize_t count = read(gMaster, buffer, sizeof buffer);
    if (count > 0) {
      reportBaud();
      writeAll(STDOUT_FILENO, buffer, (size_t)count);
    } else {
      return (count < 0) && (errno == EAGAIN);
    }
  }
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  gMaster = posix_openpt(O_RDWR | O_NOCTTY);
  if (gMaster < 0) fail("posix_openpt");
  if (grantpt(gMaster) || unlockpt(gMaster)) fail("unlockpt");
  const char* path = ptsname(gMaster);
  if (!path) fail("ptsname");
  int slave = open(path, O_RDWR | O_NOCTTY);
  if ((slave < 0) || !setRaw(slave)) fail(path);
  close(slave);
  fcntl(gMaster, F_SETFL, fcntl(gMaster, F_GETFL) | O_NONBLOCK);
  writeAll(STDOUT_FILENO, path, strlen(path));
  writeAll(STDOUT_FILENO, "\n", 1);

  char pending[BUFFER_SIZE];
  size_t start = 0, end = 0;
  bool open = false;
  for (;;) {
    // A closed slave makes poll return at once for ever: then only the clock of POLL_MS looks at it.
    struct pollfd fds[2] = {
        {.fd = (start == end) ? STDIN_FILENO : -1, .events = POLLIN},
        {.fd = open ? gMaster : -1, .events = (short)(POLLIN | ((start < end) ? POLLOUT : 0))},
    };
    if ((poll(fds, 2, POLL_MS) < 0) && (errno != EINTR)) fail("poll");
    if (fds[0].revents) {
      ssize_t count = read(STDIN_FILENO, pending, sizeof pending);
      if ((count == 0) || ((count < 0) && (errno != EINTR) && (errno != EAGAIN))) return 0;
      start = 0;
      end = (count > 0) ? (size_t)count : 0;
    }
    open = relayFromClient();
    reportOpen(open);
    reportBaud();
    if (!open) start = end = 0;
    if (start < end) {
      ssize_t count = write(gMaster, pending + start, end - start);
      if (count > 0) start += (size_t)count;
    }
  }
}
