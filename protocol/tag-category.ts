import { z } from "zod";

/** What a tag is about, in the words of boorus: the picture, who drew it, who is on it, from where, or the file itself. */
export const TagCategory = z.enum(["general", "artist", "character", "copyright", "meta"]);
export type TagCategory = z.infer<typeof TagCategory>;
