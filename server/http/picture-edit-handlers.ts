import { editPicture } from "../dataset/picture-edit/edit-picture.js";
import type { State } from "../state.js";
import type { Handlers } from "./handlers.js";

/** What is done to the pixels of a picture. */
export function pictureEditHandlers({ datasets }: State): Pick<Handlers, "editPicture"> {
  return { editPicture: async ({ dataset, image, operations }) => editPicture(datasets.root(dataset), image, operations) };
}
