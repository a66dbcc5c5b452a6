export const settingsImportTexts = {
  "settingsImport.title": "Настройки из другой программы",
  "settingsImport.help": "Перетащите файл: .toml от sd-scripts, пресет kohya_ss (.json) или скрипт запуска (.ps1, .sh, .bat).",
  "settingsImport.choose": "Выбрать файл",
  "settingsImport.paste": "Или вставьте его текст либо командную строку",
  "settingsImport.read": "Перенять",
  "settingsImport.line": " (строка {line})",
  "settingsImport.assumed": " (так sd-scripts делает по умолчанию)",
  "settingsImport.taken": {
    one: "Принята {n} настройка",
    few: "Приняты {n} настройки",
    many: "Принято {n} настроек",
    other: "Принято {n} настройки",
  },
  "settingsImport.notNeeded": {
    one: "{n} параметр здесь не нужен",
    few: "{n} параметра здесь не нужны",
    many: "{n} параметров здесь не нужны",
    other: "{n} параметра здесь не нужны",
  },
  "settingsImport.unknown": {
    one: "{n} параметр здесь не действует",
    few: "{n} параметра здесь не действуют",
    many: "{n} параметров здесь не действуют",
    other: "{n} параметра здесь не действуют",
  },
  "settingsImport.refused": {
    one: "{n} значение отклонено",
    few: "{n} значения отклонены",
    many: "{n} значений отклонено",
    other: "{n} значения отклонено",
  },
};
