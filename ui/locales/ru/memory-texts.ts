export const memoryTexts = {
  "group.memory": "Память",
  "setting.gradientCheckpointing": "Пересчёт активаций (gradient checkpointing)",
  "help.gradientCheckpointing": "Нужно намного меньше памяти при том же результате; шаг длится примерно на треть дольше.",
};
