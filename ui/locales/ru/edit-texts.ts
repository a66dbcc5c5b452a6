import type { editTexts as keys } from "../en/edit-texts.js";
import type { Message } from "../message.js";

export const editTexts: Record<keyof typeof keys, Message> = {
  "view.edit": "Править",
  "edit.canvas": "Рисуйте на картинке",
  "edit.tools": "Инструменты",
  "edit.frame": "Рамка",
  "edit.brush": "Кисть",
  "edit.size": "Размер",
  "edit.crop": "Обрезать по рамке",
  "edit.heal": "Залить окружающим",
  "edit.white": "Закрасить белым",
  "edit.turn": "Повернуть",
  "edit.mirror": "Отразить",
  "edit.flatten": "Белый фон",
  "edit.alphaToMask": "Прозрачность в маску",
  "working.edit": "Сохраняю картинку…",
  "done.edited": "Картинка {image} изменена.",
};
