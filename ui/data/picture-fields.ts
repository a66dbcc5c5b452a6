import type { SettingField } from "./setting-field.js";

/** How the settings of pictures that change from step to step are asked for. */
export const pictureFields: readonly SettingField[] = [
  { key: "flipAug", group: "pictures", kohya: "flip_aug", kind: "switch" },
  { key: "randomCrops", group: "pictures", kohya: "random_crop", kind: "number", min: 0, max: 64, step: 1 },
  { key: "colorAug", group: "pictures", kohya: "color_aug", kind: "switch" },
];
