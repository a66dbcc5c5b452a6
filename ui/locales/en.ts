import { autotagTexts } from "./en/autotag-texts.js";
import { buildTexts } from "./en/build-texts.js";
import { captionTexts } from "./en/caption-texts.js";
import { datasetTexts } from "./en/dataset-texts.js";
import { editTexts } from "./en/edit-texts.js";
import { errorTexts } from "./en/error-texts.js";
import { frameTexts } from "./en/frame-texts.js";
import { gridTexts } from "./en/grid-texts.js";
import { learningTexts } from "./en/learning-texts.js";
import { lossTexts } from "./en/loss-texts.js";
import { memoryTexts } from "./en/memory-texts.js";
import { networkTexts } from "./en/network-texts.js";
import { pictureTexts } from "./en/picture-texts.js";
import { planTexts } from "./en/plan-texts.js";
import { runTexts } from "./en/run-texts.js";
import { settingTexts } from "./en/setting-texts.js";
import { settingsImportTexts } from "./en/settings-import-texts.js";
import { taskTexts } from "./en/task-texts.js";
import { toolTexts } from "./en/tool-texts.js";
import { wallTexts } from "./en/wall-texts.js";
import { webuiTexts } from "./en/webui-texts.js";

/** Every text of the page in English; its keys are the keys of all languages. */
export const en = {
  ...frameTexts,
  ...datasetTexts,
  ...planTexts,
  ...buildTexts,
  ...settingTexts,
  ...settingsImportTexts,
  ...captionTexts,
  ...pictureTexts,
  ...learningTexts,
  ...lossTexts,
  ...memoryTexts,
  ...networkTexts,
  ...taskTexts,
  ...autotagTexts,
  ...toolTexts,
  ...runTexts,
  ...gridTexts,
  ...wallTexts,
  ...webuiTexts,
  ...errorTexts,
  ...editTexts,
};

export type MessageKey = keyof typeof en;
