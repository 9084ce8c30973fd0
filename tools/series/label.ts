// A label for a board's case: its name and MAC in letters, and both in a QR code (ISO/IEC 18004), as SVG. No secrets.

import encodeQR from "qr";

const MODULE = 3; // units of the drawing
const QUIET = 4; // modules of white around the code
const LINE = 16; // units

export interface LabelText {
  readonly name: string;
  readonly mac: string;
  /** "esp32c3" */
  readonly chip: string;
}

/** What the code says: JSON with `name`, `mac`, `chip`. */
export function labelPayload({ name, mac, chip }: LabelText): string {
  return JSON.stringify({ name, mac, chip });
}

export function labelSvg(text: LabelText): string {
  const modules = encodeQR(labelPayload(text), "raw", { ecc: "medium", border: QUIET });
  const side = modules.length * MODULE;
  const dark = modules.flatMap((row, y) =>
    row.flatMap((isDark, x) =>
      isDark ? [`M${x * MODULE} ${y * MODULE}h${MODULE}v${MODULE}h-${MODULE}z`] : [],
    ),
  );
  const line = (content: string, y: number) =>
    `<text x="${side / 2}" y="${y}" text-anchor="middle" font-family="sans-serif" font-size="12">${escapeXml(content)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side + 2 * LINE}">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<path fill="#000" d="${dark.join("")}"/>`,
    line(text.name, side + LINE / 2),
    line(text.mac, side + LINE * 1.5),
    "</svg>\n",
  ].join("\n");
}

function escapeXml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    "&": "amp",
    "<": "lt",
    ">": "gt",
    '"': "quot",
    "'": "apos",
  };
  return text.replace(/[&<>"']/g, (character) => `&${names[character]};`);
}
