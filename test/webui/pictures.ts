import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { apiFields } from "./api-fields.js";
import { type RealWebui, webuiDir } from "./real-webui.js";

/** Draws by the WebUI's API; `infotext` may stand for what it tells. */
export async function byApi(
  { url }: RealWebui,
  fields: Readonly<Record<string, unknown>>,
  kind: "txt2img" | "img2img" = "txt2img",
): Promise<Buffer> {
  const answer = await fetch(`${url}/sdapi/v1/${kind}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(apiFields(fields)),
  });
  const { images }: { images: string[] } = await answer.json();
  return Buffer.from(images[0] ?? "", "base64");
}

/** The largest difference of two pictures of one size, in levels of 0 to 255. */
export async function difference(one: Buffer | string, other: Buffer | string): Promise<number> {
  const [a, b] = await Promise.all([one, other].map((picture) => sharp(picture).removeAlpha().raw().toBuffer()));
  if (a === undefined || b === undefined || a.length !== b.length) throw new Error("Expected two pictures of one size.");
  return a.reduce((worst, value, at) => Math.max(worst, Math.abs(value - (b[at] ?? 0))), 0);
}

/** The infotext inside a PNG of the WebUI; "" without one. */
export async function infotextOf(file: string): Promise<string> {
  const { comments = [] } = await sharp(file).metadata();
  return comments.find(({ keyword }) => keyword === "parameters")?.text ?? "";
}

/** PNG files that the WebUI has written below a folder of its outputs since `since`, oldest first. */
export function newPictures(
  { dataDir }: RealWebui,
  kind: "txt2img-images" | "img2img-images" | "txt2img-grids" | "img2img-grids",
  since: number,
): string[] {
  const below = (root: string) => ["output", "outputs"].flatMap((folder) => pngsBelow(join(root, folder, kind)));
  // A1111 1.6 writes into its own folder, whatever the data folder is.
  const files = [dataDir, webuiDir() ?? dataDir].map(below).find((found) => found.length > 0) ?? [];
  return files.filter((file) => statSync(file).mtimeMs >= since).sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs);
}

function pngsBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".png"))
      .map((name) => join(folder, name));
  } catch {
    // Nothing has been drawn there yet.
    return [];
  }
}
