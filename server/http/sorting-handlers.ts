import { moveImages, rejectImages } from "../dataset/move-images.js";
import type { State } from "../state.js";
import type { Handlers } from "./handlers.js";

/** What is done with many pictures at once. */
export function sortingHandlers({ datasets }: State): Pick<Handlers, "moveImages" | "rejectImages"> {
  return {
    moveImages: async ({ dataset, images, subset }) => moveImages(datasets.root(dataset), images, subset),
    rejectImages: async ({ dataset, images }) => rejectImages(datasets.root(dataset), images),
  };
}
