import { z } from "zod";

/** Which pictures are trained on and how often: fields of Settings that no option of kohya's has. */
export const buildFields = {
  /**
   * Percent of an epoch's samples that a subset (by its name) should be, such as 70 for the good pictures and 30 for the weak ones. Repeats
   * are solved from it; subsets that are not named share what is left by their pictures. Empty: the numbers in the folders' names decide.
   */
  subsetShares: z.record(z.string(), z.number().min(1).max(100)).default({}),
  /** Ids of pictures that are held out; empty: `heldOutImages` of them are chosen, as different from each other as possible. */
  heldOutPictures: z.array(z.string()).max(10_000).default([]),
};
