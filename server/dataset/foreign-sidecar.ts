import { z } from "zod";
import { type Post, Post as PostShape, type PostTags, type Rating } from "../../protocol/post.js";

/** What a JSON file beside a picture says of it: a caption of its own, and where the picture came from. */
export type Sidecar = { caption: string | null; post: Post | null };

/**
 * Reads the sidecar of a picture: ours, gallery-dl's (`--write-metadata`), or any with `tags` or `caption`. Null when it says nothing
 * of use. Strings and lists, numbers as texts and missing fields are all taken, because each of gallery-dl's sites writes its own.
 */
export function readSidecar(text: string): Sidecar | null {
  const value = parseJson(text);
  const own = PostShape.safeParse(value);
  if (own.success) return { caption: null, post: own.data };
  const loose = Loose.safeParse(value);
  if (!loose.success) return null;
  const fields = loose.data;
  const tags = tagsOf(fields);
  const caption = typeof fields.caption === "string" && fields.caption.trim() !== "" ? fields.caption.trim() : null;
  const isKnown = Object.values(tags).some((list) => list.length > 0);
  if (caption === null && !isKnown) return null;
  const site = textOf(fields.category ?? fields.site);
  const id = textOf(fields.id);
  const post = site !== "" && id !== "" ? postOf(fields, { site, id, tags }) : null;
  return { caption: caption ?? (post === null ? captionOfPost({ tags }) : null), post };
}

/** Tags as a caption: characters first, then the works they are from and what is to be seen; who drew it and the file's own words are left out. */
export function captionOfPost({ tags }: Pick<Post, "tags">): string {
  return [...new Set([...tags.character, ...tags.copyright, ...tags.general])].join(", ");
}

const Loose = z.record(z.string(), z.unknown());
type Fields = z.infer<typeof Loose>;

function tagsOf(fields: Fields): PostTags {
  const of = (category: string) => listOf(fields[`tags_${category}`] ?? fields[`tag_string_${category}`]);
  const [artist, character, copyright, meta] = [of("artist"), of("character"), of("copyright"), [...of("meta"), ...of("metadata")]];
  const sorted = new Set([...artist, ...character, ...copyright, ...meta]);
  const general = of("general");
  const all = listOf(fields.tags ?? fields.tag_string ?? fields.tags_all);
  // Sites without categories have one list for all; with categories that list repeats them.
  return { general: general.length > 0 ? general : all.filter((tag) => !sorted.has(tag)), artist, character, copyright, meta };
}

/** Tags from a list, or from a text in which spaces part them (commas, where there are any). */
function listOf(value: unknown): string[] {
  const parts = Array.isArray(value) ? value.filter((part) => typeof part === "string") : typeof value === "string" ? split(value) : [];
  return [...new Set(parts.map(plainTag).filter((tag) => tag !== ""))];
}

function split(text: string): string[] {
  return text.includes(",") ? text.split(",") : text.split(/\s+/);
}

/** Underscores are spaces but in faces such as `^_^`; boorus escape characters as HTML does. */
function plainTag(tag: string): string {
  const unescaped = tag
    .trim()
    .replaceAll("&#039;", "'")
    .replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
  return unescaped.length <= 3 || !/[a-z0-9]{2}/i.test(unescaped) ? unescaped : unescaped.replaceAll("_", " ").trim();
}

function postOf(fields: Fields, { site, id, tags }: { site: string; id: string; tags: PostTags }): Post {
  const parent = textOf(fields.parent_id);
  return {
    site,
    id,
    md5: /^[0-9a-f]{32}$/i.test(textOf(fields.md5)) ? textOf(fields.md5).toLowerCase() : "",
    pageUrl: pageOf(site, id, textOf(fields.page_url ?? fields.post_url)),
    source: textOf(fields.source),
    rating: ratingOf(site, textOf(fields.rating).toLowerCase()),
    tags,
    width: sizeOf(fields.width ?? fields.image_width),
    height: sizeOf(fields.height ?? fields.image_height),
    parentId: parent === "" || parent === "0" ? null : parent,
    hasNotes: fields.has_notes === true || fields.has_notes === "true" || (Array.isArray(fields.notes) && fields.notes.length > 0),
    fetchedAt: 0,
  };
}

const PAGES: Readonly<Record<string, (id: string) => string>> = {
  danbooru: (id) => `https://danbooru.donmai.us/posts/${id}`,
  safebooru: (id) => `https://safebooru.org/index.php?page=post&s=view&id=${id}`,
  gelbooru: (id) => `https://gelbooru.com/index.php?page=post&s=view&id=${id}`,
};

function pageOf(site: string, id: string, told: string): string {
  return /^https?:\/\//.test(told) ? told : (PAGES[site]?.(encodeURIComponent(id)) ?? "");
}

/** Danbooru's letters changed their meaning in 2022: elsewhere `s` is "safe". */
function ratingOf(site: string, rating: string): Rating {
  if (rating === "s" || rating === "safe") return site === "danbooru" && rating === "s" ? "sensitive" : "general";
  const words: Readonly<Record<string, Rating>> = { g: "general", q: "questionable", e: "explicit" };
  const known = words[rating] ?? rating;
  return known === "general" || known === "sensitive" || known === "questionable" || known === "explicit" ? known : "unknown";
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value.trim() : typeof value === "number" && Number.isFinite(value) ? String(value) : "";
}

function sizeOf(value: unknown): number {
  const size = Number(value);
  return Number.isInteger(size) && size > 0 ? size : 0;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // not ours, and nothing that could be told about it
  }
}
