import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { baseName, isPictureName } from "./picture-names.js";

/** The folder beside pictures that holds their masks; it is no subset of its own. */
export const MASKS = "masks";

/** Mask files of the folder `below` the root by the names of their pictures without extension, as paths below the root. */
export async function listMasks(root: string, below: string): Promise<Map<string, string>> {
  const folder = below === "" ? MASKS : `${below}/${MASKS}`;
  const names = await readdir(join(root, folder)).catch((): string[] => []); // most folders have none
  return new Map(names.filter(isPictureName).map((name) => [baseName(name).toLowerCase(), `${folder}/${name}`]));
}
