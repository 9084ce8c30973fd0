// `device/Resource` on the SDK's `Resource` module: files of the manifest's "resources", verbatim in the image.

import * as module from "Resource";
import type { ReadResource } from "../types.js";

interface SdkResource {
  readonly byteLength: number;
  /** Always a copy. */
  slice(begin: number, end: number): ArrayBuffer;
}
interface SdkResources {
  new (name: string): SdkResource;
  exists(name: string): boolean;
}
const Resource = module.default as unknown as SdkResources;

const read: ReadResource = (name) => {
  if (!Resource.exists(name)) return undefined;
  const resource = new Resource(name);
  return new Uint8Array(resource.slice(0, resource.byteLength));
};

export default read;
