// `device/Resource` of the virtual platform: resources of the running archive, copied by the engine.

import type { ReadResource } from "../types.js";

interface Engine {
  resource(name: string): ArrayBuffer | undefined;
}

const read: ReadResource = (name) => {
  const data = (globalThis as unknown as Engine).resource(name);
  return data && new Uint8Array(data);
};

export default read;
