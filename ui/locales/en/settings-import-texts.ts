export const settingsImportTexts = {
  "settingsImport.title": "Settings from another tool",
  "settingsImport.help":
    "Drop a file here: sd-scripts' .toml, a preset of kohya_ss (.json), or the script that starts them (.ps1, .sh, .bat).",
  "settingsImport.choose": "Choose a file",
  "settingsImport.paste": "Or paste its text, or a command line",
  "settingsImport.read": "Take over",
  "settingsImport.line": " (line {line})",
  "settingsImport.assumed": " (what sd-scripts does without being told)",
  "settingsImport.taken": { one: "{n} setting taken", other: "{n} settings taken" },
  "settingsImport.notNeeded": { one: "{n} option not needed here", other: "{n} options not needed here" },
  "settingsImport.unknown": { one: "{n} option that nothing here obeys", other: "{n} options that nothing here obeys" },
  "settingsImport.refused": { one: "{n} value refused", other: "{n} values refused" },
};
