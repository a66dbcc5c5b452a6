import type { taskTexts as keys } from "../en/task-texts.js";
import type { Message } from "../message.js";

export const taskTexts: Record<keyof typeof keys, Message> = {
  "tasks.label": "Что сейчас делается",
  "tasks.stop": "Остановить",
  "tasks.dismiss": "Убрать из списка",
  "tasks.progress": "{done} из {total}",
  "task.download": "Загрузка картинок",
  "task.autotag": "Расстановка тегов",
  "task.import": "Импорт картинок",
  "task.modelDownload": "Загрузка модели",
  "task.install": "Установка",
  "task.scan": "Просмотр картинок",
  "task.edit": "Изменение картинок",
  "task.state.done": "готово",
  "task.state.failed": "не удалось",
  "task.state.stopped": "остановлено",
};
