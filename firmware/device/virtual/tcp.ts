// `device/tcp` of the virtual platform: a client socket at the board's network.

import type { OpenTcp } from "../types.js";
import { bytesOf, call, listen } from "./bus.js";

const open: OpenTcp = (options) => {
  const handle = call("tcp.open", options.address, options.port) as number;
  let closed = false;
  listen("tcp", handle, (event, value) => {
    if (event === "readable") options.onReadable(value as number);
    else if (event === "writable") options.onWritable(value as number);
    else options.onError(value === "closed" ? "closed" : "error");
  });
  return {
    read(limit) {
      if (closed) throw new Error("read after close");
      const bytes = call("tcp.read", handle, limit);
      return bytes === undefined || bytes === null ? undefined : bytesOf(bytes);
    },
    write(bytes) {
      if (closed) throw new Error("write after close");
      call("tcp.write", handle, bytes);
    },
    close() {
      if (closed) return;
      closed = true;
      listen("tcp", handle, undefined);
      call("tcp.close", handle);
    },
  };
};

export default open;
