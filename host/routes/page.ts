// The page: its few files, bundled once at the start and served from memory.

import { build } from "esbuild";
import type { FastifyInstance } from "fastify";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  ...["script-src", "style-src", "connect-src", "img-src"].map((directive) => `${directive} 'self'`),
  ...["base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"],
].join("; ");

async function bundle(folder: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, "page.ts")],
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]!.text;
}

/** Serves `folder`: index.html, style.css, icon.svg, and page.ts as page.js. */
export async function pageRoutes(app: FastifyInstance, folder: string): Promise<void> {
  if (!existsSync(join(folder, "index.html"))) return;
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  const files: [path: string, type: string, text: string][] = [
    ["/", "text/html; charset=utf-8", read("index.html")],
    ["/style.css", "text/css; charset=utf-8", read("style.css")],
    ["/icon.svg", "image/svg+xml", read("icon.svg")],
    ["/page.js", "text/javascript; charset=utf-8", await bundle(folder)],
  ];
  for (const [path, type, text] of files)
    app.get(path, async (_request, reply) =>
      reply
        .type(type)
        .headers({ "content-security-policy": CONTENT_SECURITY_POLICY, "cache-control": "no-cache" })
        .send(text),
    );
}
