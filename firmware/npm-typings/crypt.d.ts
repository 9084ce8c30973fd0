// Modules of the Moddable SDK that @moddable/typings 5.6.0 does not know; device/sdk casts them to types of its own.

declare module "crypt" {
  const crypt: unknown;
  export default crypt;
}
