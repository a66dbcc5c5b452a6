import { availableParallelism } from "node:os";
import sharp from "sharp";

/**
 * sharp as every room uses it on pictures of unknown origin: only the loaders of picture formats are open (no SVG, no
 * PDF), nothing is cached by path (an edited picture keeps its path), and each picture keeps to one thread, because a
 * pool of pictures fills the cores better.
 */
sharp.cache(false);
sharp.concurrency(1);
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({
  operation: [
    "VipsForeignLoadJpeg",
    "VipsForeignLoadPng",
    "VipsForeignLoadWebp",
    "VipsForeignLoadNsgif",
    "VipsForeignLoadTiff",
    "VipsForeignLoadHeif",
  ],
});

export { sharp };

/** Pixels of the largest picture that is trained on as it is. */
export const MAX_PIXELS = 100_000_000;

/** Pixels of the largest picture that is decoded at all; Fix shrinks those above MAX_PIXELS. */
export const MAX_DECODED_PIXELS = 268_402_689;

/** Pictures that are in work at the same time; more than cores, so that one is decoded while another waits for its turn here. */
export const DECODERS = Math.min(4, 2 * availableParallelism());

export const WHITE = { r: 255, g: 255, b: 255 } as const;
