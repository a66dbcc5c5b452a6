import { z } from "zod";

const pixels = z.int().nonnegative().max(100_000);
const Colour = z.string().regex(/^#[0-9a-fA-F]{6}$/, "a colour such as #ffffff");

/** A grey PNG over the whole picture, of any size: white is what is meant, black is not; as base64. */
const Mask = z.base64().max(8_000_000);

/**
 * What is done to one picture. Coordinates are pixels of the picture as it is seen, turned by its EXIF mark, at the time the operation's turn
 * comes.
 */
export const PictureOperation = z.discriminatedUnion("type", [
  z.object({ type: z.literal("crop"), left: pixels, top: pixels, width: pixels.min(1), height: pixels.min(1) }),
  /** Fills what the mask means with the colours around it, as if it had never been there. */
  z.object({ type: z.literal("heal"), mask: Mask }),
  z.object({ type: z.literal("fill"), mask: Mask, colour: Colour }),
  z.object({ type: z.literal("turn"), degrees: z.union([z.literal(90), z.literal(180), z.literal(270)]) }),
  z.object({ type: z.literal("mirror") }),
  /** Puts a colour behind what is transparent. In the caption `transparent background` becomes what is then to be seen. */
  z.object({ type: z.literal("flatten"), colour: Colour.default("#ffffff") }),
  /** The same, and what was transparent is kept as a mask, so that only the subject is learnt (`masked_loss`). */
  z.object({ type: z.literal("alphaToMask"), colour: Colour.default("#ffffff") }),
]);
export type PictureOperation = z.infer<typeof PictureOperation>;

/** `editId` undoes it like a fix; the picture's size afterwards. */
export const PictureEdited = z.object({ editId: z.string(), width: z.int().positive(), height: z.int().positive() });
export type PictureEdited = z.infer<typeof PictureEdited>;

export const PictureEditMessage = z.object({
  id: z.int(),
  type: z.literal("editPicture"),
  dataset: z.string(),
  image: z.string(),
  operations: z.array(PictureOperation).min(1).max(64),
});
