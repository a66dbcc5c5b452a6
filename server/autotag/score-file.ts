import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { PackedScores, TaggerLabel } from "../../protocol/tag-scores.js";
import { writeAtomically } from "../dataset/write-atomically.js";

/** Raised whenever the files mean something else, so that older ones are not believed. */
const VERSION = 1;
const About = z.object({ version: z.literal(VERSION), id: z.string(), name: z.string(), labels: z.array(TaggerLabel) });
const Line = z.object({ picture: z.string(), scores: PackedScores });

/** What one tagger has said of a data set's pictures: scores by the SHA-256 of a picture's bytes, so that a picture that moves keeps them. */
export type ScoreFile = { readonly labels: readonly TaggerLabel[]; readonly scores: ReadonlyMap<string, PackedScores> };

/** Takes scores as they come; each is on its way to the disk when `add` returns. */
export type ScoreWriter = { add(picture: string, scores: PackedScores): void; close(): void };

/** Everything that is kept of a tagger; nothing where it was never run here. */
export async function readScoreFile(root: string, tagger: string): Promise<ScoreFile> {
  const folder = await folderOf(root, tagger);
  const about = folder === null ? null : readAbout(join(folder, "tagger.json"));
  if (folder === null || about === null) return { labels: [], scores: new Map() };
  const scores = new Map<string, PackedScores>();
  const file = join(folder, "scores.jsonl");
  for (const text of existsSync(file) ? readFileSync(file, "utf8").split("\n") : []) {
    const line = parseLine(text);
    if (line !== null) scores.set(line.picture, line.scores);
  }
  return { labels: about.labels, scores };
}

/** Opens a tagger's scores to add to them. Throws `disk_full` or `bad_request` where nothing can be written. */
export async function openScoreFile(
  root: string,
  tagger: { id: string; name: string },
  labels: readonly TaggerLabel[],
): Promise<ScoreWriter> {
  const folder = (await folderOf(root, tagger.id)) ?? join(scoresFolder(root), `${plain(tagger.name)}-${tagger.id}`);
  const about = { version: VERSION, id: tagger.id, name: tagger.name, labels };
  if (readAbout(join(folder, "tagger.json")) === null) await writeAtomically(join(folder, "tagger.json"), JSON.stringify(about));
  mkdirSync(folder, { recursive: true });
  const file = openSync(join(folder, "scores.jsonl"), "a");
  // What a crash left half written ends here, and is no line.
  writeSync(file, "\n");
  return {
    add: (picture, scores) => void writeSync(file, `${JSON.stringify({ picture, scores })}\n`),
    close: () => closeSync(file),
  };
}

/** Our own folder of a data set, which trainers pass by. */
export function ownFolder(root: string): string {
  return join(root, ".train-lora");
}

function scoresFolder(root: string): string {
  return join(ownFolder(root), "scores");
}

async function folderOf(root: string, tagger: string): Promise<string | null> {
  // Before the first run there is none.
  const names = await readdir(scoresFolder(root)).catch(() => []);
  const name = names.find((one) => one.endsWith(`-${tagger}`));
  return name === undefined ? null : join(scoresFolder(root), name);
}

function readAbout(file: string): z.infer<typeof About> | null {
  try {
    return About.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    // Absent, or of another version: the pictures are scored again.
    return null;
  }
}

function parseLine(text: string): z.infer<typeof Line> | null {
  try {
    return text === "" ? null : Line.parse(JSON.parse(text));
  } catch {
    // A line that a power cut broke; its picture is scored again.
    return null;
  }
}

function plain(name: string): string {
  return name.replace(/[^\w.-]+/g, "_").slice(0, 60) || "tagger";
}
