import { z } from "zod";

/** How harmless a site calls a picture; `unknown` is not the same as harmless. */
export const Rating = z.enum(["general", "sensitive", "questionable", "explicit", "unknown"]);
export type Rating = z.infer<typeof Rating>;

/** Tags by the categories that boorus have, with spaces instead of underscores. */
export const PostTags = z.object({
  general: z.array(z.string()),
  artist: z.array(z.string()),
  character: z.array(z.string()),
  copyright: z.array(z.string()),
  meta: z.array(z.string()),
});
export type PostTags = z.infer<typeof PostTags>;

/** Where a picture came from: `<picture's name without extension>.json` beside it, which trainers pass over. */
export const Post = z.object({
  /** The site's short name, such as `danbooru`. */
  site: z.string(),
  id: z.string(),
  /** Of the file as the site has it, 32 hex digits; "" when it is not known. */
  md5: z.string(),
  pageUrl: z.string(),
  /** Where the poster found it; "" when it is not known. */
  source: z.string(),
  rating: Rating,
  tags: PostTags,
  /** Pixels as the site tells them; 0 when it does not. */
  width: z.int().nonnegative(),
  height: z.int().nonnegative(),
  parentId: z.string().nullable(),
  /** Boxes with translations lie over it: there is text in the picture. */
  hasNotes: z.boolean(),
  /** Milliseconds since 1970. */
  fetchedAt: z.int().nonnegative(),
});
export type Post = z.infer<typeof Post>;
