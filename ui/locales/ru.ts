import type { MessageKey } from "./en.js";
import type { Message } from "./message.js";
import { autotagTexts } from "./ru/autotag-texts.js";
import { buildTexts } from "./ru/build-texts.js";
import { captionTexts } from "./ru/caption-texts.js";
import { datasetTexts } from "./ru/dataset-texts.js";
import { editTexts } from "./ru/edit-texts.js";
import { errorTexts } from "./ru/error-texts.js";
import { frameTexts } from "./ru/frame-texts.js";
import { gridTexts } from "./ru/grid-texts.js";
import { learningTexts } from "./ru/learning-texts.js";
import { lossTexts } from "./ru/loss-texts.js";
import { memoryTexts } from "./ru/memory-texts.js";
import { networkTexts } from "./ru/network-texts.js";
import { pictureTexts } from "./ru/picture-texts.js";
import { planTexts } from "./ru/plan-texts.js";
import { runTexts } from "./ru/run-texts.js";
import { settingTexts } from "./ru/setting-texts.js";
import { settingsImportTexts } from "./ru/settings-import-texts.js";
import { taskTexts } from "./ru/task-texts.js";
import { toolTexts } from "./ru/tool-texts.js";
import { wallTexts } from "./ru/wall-texts.js";
import { webuiTexts } from "./ru/webui-texts.js";

/** Every text of the page in Russian. */
export const ru: Record<MessageKey, Message> = {
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
